#define _GNU_SOURCE
#include "plane.h"

#include <errno.h>
#include <fcntl.h>
#include <math.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <time.h>
#include <unistd.h>

#include "plane_state.h"
#include "prompt.h"

enum {
    MAX_ADDRESSES = 131072,      /* of all peers together */
    QUEUE_BYTES = 1024 * 1024,   /* of each queue to the event loop, twice */
    MAX_COMMANDS_AT_ONCE = 64,   /* between two reads of the socket */
    LONGEST_WAIT_MS = 60 * 1000,
};

static const double LINGER_SHARE = 0.25;
static const double SHORTEST_LINGER_S = 50e-6;
static const double LONGEST_LINGER_S = 150e-6;

double sl_monotonic_s(void)
{
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return (double)now.tv_sec + (double)now.tv_nsec * 1e-9;
}

static void signal_fd(int fd)
{
    uint64_t one = 1;
    ssize_t written = write(fd, &one, sizeof one); /* full is as good: it is readable */
    (void)written;
}

static void empty_fd(int fd)
{
    uint64_t count;
    ssize_t got = read(fd, &count, sizeof count);
    (void)got;
}

bool sl_plane_tell(
    sl_plane *plane, sl_queue *queue, const sl_record *record, const uint8_t *bytes, size_t spared
)
{
    sl_queue_result result = sl_queue_push(queue, record, bytes, spared);
    if (result == SL_QUEUE_TELL)
        signal_fd(plane->event_fd);
    return result != SL_QUEUE_FULL;
}

static void do_commands(sl_plane *plane, double now)
{
    if (plane->waiting_commands == NULL)
        plane->waiting_commands = sl_commands_take(&plane->commands);
    for (int i = 0; i < MAX_COMMANDS_AT_ONCE && plane->waiting_commands; i++) {
        sl_command *command = plane->waiting_commands;
        plane->waiting_commands = command->next;
        sl_plane_do(plane, command, now);
    }
}

void sl_plane_do_all(sl_plane *plane, double now)
{
    do
        do_commands(plane, now);
    while (plane->waiting_commands);
}

/* Tells the event loop of the streams that need it; when the next one will, as far as is known. */
static double tell_attention(sl_plane *plane, double now)
{
    double next = INFINITY;
    for (sl_stream *stream = plane->streams; stream != NULL; stream = stream->next) {
        if (sl_stream_needs_attention(stream, now)) {
            sl_record record = {.kind = SL_FEEDBACK_ATTENTION, .number = stream->number};
            if (!sl_plane_tell(plane, &plane->feedback, &record, NULL, 0))
                sl_stream_untold(stream);
        }
        next = fmin(next, stream->missing_due);
    }
    return next;
}

static int wait_ms(const sl_plane *plane, double next, double now)
{
    if (plane->waiting_commands)
        return 0;
    double wait = ceil((next - now) * 1000);
    return wait < LONGEST_WAIT_MS ? (int)fmax(wait, 0) : LONGEST_WAIT_MS;
}

/* A publisher's packets come in bursts, of which the first wakes the thread. A moment's wait lets the
 * rest be read with it and go out in the same runs, which saves more time than it takes: a part of
 * what the last fan-out took, within bounds. It never waits for a frame. */
static double linger(const sl_plane *plane)
{
    double wait = fmax(fmin(plane->relay_s * LINGER_SHARE, LONGEST_LINGER_S), SHORTEST_LINGER_S);
    struct timespec time = {.tv_nsec = (long)(wait * 1e9)};
    nanosleep(&time, NULL);
    return sl_monotonic_s();
}

static void *run(void *context)
{
    sl_plane *plane = context;
    (void)sl_be_prompt(SL_PROMPT_FOR_PACKETS);
    while (!__atomic_load_n(&plane->is_stopping, __ATOMIC_ACQUIRE)) {
        double now = sl_monotonic_s();
        double next = tell_attention(plane, now);
        struct epoll_event events[2];
        int count = epoll_wait(plane->epoll_fd, events, 2, wait_ms(plane, next, now));
        now = sl_monotonic_s();
        for (int i = 0; i < count; i++)
            if (events[i].data.fd == plane->wake_fd)
                empty_fd(plane->wake_fd);
        do_commands(plane, now);
        for (int i = 0; i < count; i++)
            if (events[i].data.fd == plane->fd)
                sl_plane_read(plane, linger(plane));
    }
    return NULL;
}

static bool watch(const sl_plane *plane, int fd)
{
    struct epoll_event event = {.events = EPOLLIN, .data.fd = fd};
    return epoll_ctl(plane->epoll_fd, EPOLL_CTL_ADD, fd, &event) == 0;
}

static bool open_fds(sl_plane *plane, int fd)
{
    plane->fd = fcntl(fd, F_DUPFD_CLOEXEC, 0);
    plane->event_fd = eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC);
    plane->wake_fd = eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC);
    plane->epoll_fd = epoll_create1(EPOLL_CLOEXEC);
    return plane->fd >= 0 && plane->event_fd >= 0 && plane->wake_fd >= 0 && plane->epoll_fd >= 0 &&
           watch(plane, plane->fd) && watch(plane, plane->wake_fd);
}

static void close_fds(sl_plane *plane)
{
    const int fds[] = {plane->fd, plane->event_fd, plane->wake_fd, plane->epoll_fd};
    for (size_t i = 0; i < sizeof fds / sizeof *fds; i++)
        if (fds[i] >= 0)
            close(fds[i]);
}

bool sl_plane_start(sl_plane *plane)
{
    sigset_t all, former; /* signals are for the threads that run Python */
    sigfillset(&all);
    pthread_sigmask(SIG_SETMASK, &all, &former);
    int error = pthread_create(&plane->thread, NULL, run, plane);
    pthread_sigmask(SIG_SETMASK, &former, NULL);
    plane->is_running = error == 0;
    if (plane->is_running)
        pthread_setname_np(plane->thread, "media plane");
    errno = error;
    return plane->is_running;
}

/* What may fail, in an order in which sl_plane_free can undo it from any point. */
static bool prepare(sl_plane *plane, int fd)
{
    bool is_ready = sl_commands_init(&plane->commands) &&
                    sl_queue_init(&plane->control, QUEUE_BYTES) &&
                    sl_queue_init(&plane->feedback, QUEUE_BYTES) &&
                    sl_addresses_init(&plane->addresses, plane->settings.seed, MAX_ADDRESSES);
    errno = ENOMEM;
    if (!is_ready || !open_fds(plane, fd))
        return false;
    plane->intake = sl_intake_new(plane->fd);
    plane->datagrams = sl_datagrams_new(plane->fd, NULL, NULL);
    errno = ENOMEM;
    return plane->intake && plane->datagrams;
}

sl_plane *sl_plane_new(int fd, const sl_plane_settings *settings)
{
    sl_plane *plane = calloc(1, sizeof *plane);
    if (plane == NULL)
        return NULL;
    plane->settings = *settings;
    plane->fd = plane->event_fd = plane->wake_fd = plane->epoll_fd = -1;
    if (prepare(plane, fd))
        return plane;
    int error = errno;
    sl_plane_free(plane);
    errno = error;
    return NULL;
}

static void free_tables(sl_plane *plane)
{
    for (sl_command *command = plane->waiting_commands; command != NULL;) {
        sl_command *next = command->next;
        sl_command_free(command);
        command = next;
    }
    while (plane->peers) {
        sl_peer *peer = plane->peers;
        plane->peers = peer->next;
        sl_peer_join(peer, NULL);
        sl_peer_release(peer);
    }
    while (plane->streams) {
        sl_stream *stream = plane->streams;
        plane->streams = stream->next;
        sl_stream_close(stream);
        sl_stream_release(stream);
    }
    plane->waiting_commands = NULL;
}

void sl_plane_stop(sl_plane *plane)
{
    if (plane->is_stopped)
        return;
    plane->is_stopped = true;
    __atomic_store_n(&plane->is_stopping, true, __ATOMIC_RELEASE);
    signal_fd(plane->wake_fd);
    if (plane->is_running)
        pthread_join(plane->thread, NULL);
    free_tables(plane); /* the thread is gone: what was its own is ours */
    close(plane->fd);   /* so that the port is free */
    plane->fd = -1;
}

void sl_plane_free(sl_plane *plane)
{
    sl_intake_free(plane->intake);
    sl_datagrams_free(plane->datagrams);
    sl_addresses_free(&plane->addresses);
    sl_commands_free(&plane->commands);
    sl_queue_free(&plane->control);
    sl_queue_free(&plane->feedback);
    close_fds(plane);
    free(plane);
}

const sl_plane_settings *sl_plane_settings_of(const sl_plane *plane)
{
    return &plane->settings;
}

int sl_plane_event_fd(const sl_plane *plane)
{
    return plane->event_fd;
}

void sl_plane_hear(sl_plane *plane)
{
    empty_fd(plane->event_fd);
}

sl_queue *sl_plane_control(sl_plane *plane)
{
    return &plane->control;
}

sl_queue *sl_plane_feedback(sl_plane *plane)
{
    return &plane->feedback;
}

bool sl_plane_command(sl_plane *plane, sl_command *command)
{
    if (command == NULL)
        return false;
    if (plane->is_stopped) {
        sl_command_free(command);
        return true;
    }
    sl_commands_result result = sl_commands_push(&plane->commands, command);
    if (result == SL_COMMANDS_FULL)
        sl_command_free(command);
    if (result == SL_COMMANDS_WAKE)
        signal_fd(plane->wake_fd);
    return result != SL_COMMANDS_FULL;
}

bool sl_plane_send(sl_plane *plane, const uint8_t *bytes, size_t size, const sl_address *to)
{
    if (plane->is_stopped || to->size == 0)
        return false;
    ssize_t sent = sendto(plane->fd, bytes, size, MSG_DONTWAIT, &to->name.any, to->size);
    return sent == (ssize_t)size;
}

double sl_plane_cpu_s(const sl_plane *plane)
{
    clockid_t clock;
    struct timespec used;
    bool is_told = plane->is_running && !plane->is_stopped &&
                   pthread_getcpuclockid(plane->thread, &clock) == 0 &&
                   clock_gettime(clock, &used) == 0;
    return is_told ? (double)used.tv_sec + (double)used.tv_nsec * 1e-9 : 0;
}

const sl_counts *sl_plane_counts(const sl_plane *plane)
{
    return &plane->counts;
}

const sl_times *sl_plane_times(const sl_plane *plane)
{
    return &plane->times;
}
