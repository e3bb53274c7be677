#define _GNU_SOURCE
#include "datagrams.h"

#include <errno.h>
#include <netinet/udp.h>
#include <stdlib.h>
#include <string.h>

#include "prompt.h"

#ifndef UDP_SEGMENT
#define UDP_SEGMENT 103 /* linux/udp.h */
#endif

/* Arena and tables stay in the second level cache beside the viewers' contexts, which larger ones
 * would drive out: 640 KiB cost a tenth more at 800 viewers, 200 KiB as little as any. */
enum {
    MAX_MESSAGES = 128,
    ARENA_BYTES = 200 * 1024,
    MAX_SEGMENTS = 64,
    MAX_RUN_BYTES = 65000,
    MAX_SEGMENT_BYTES = 1472, /* Ethernet's MTU without IP and UDP headers: never fragmented */
};

_Static_assert((int)ARENA_BYTES >= (int)SL_DATAGRAMS_MAX_BYTES, "a receiver's datagrams fit");
_Static_assert((int)MAX_MESSAGES >= (int)SL_DATAGRAMS_MAX_RESERVED, "a receiver's messages fit");

/* The ancillary data that asks for segmentation. */
typedef union {
    struct cmsghdr header;
    char bytes[CMSG_SPACE(sizeof(uint16_t))];
} segment_control;

/* One message is a run of `count` datagrams of `segment` bytes, the last of which may be shorter. */
typedef struct {
    uint16_t group, count;
    uint32_t segment;
} run;

typedef struct {
    sl_address address;
    void *receiver;
    sl_taken told;
    size_t queued, taken;
} group;

struct sl_datagrams {
    int fd;
    sl_send_messages send;
    void *context;
    bool segments;
    bool is_run_open; /* the last message may take another datagram */
    size_t message_count, group_count;
    uint8_t *next;
    struct mmsghdr messages[MAX_MESSAGES];
    struct iovec pieces[MAX_MESSAGES];
    segment_control controls[MAX_MESSAGES];
    run runs[MAX_MESSAGES];
    group groups[MAX_MESSAGES];
    uint8_t arena[ARENA_BYTES];
};

static int send_messages(void *context, int fd, struct mmsghdr *messages, unsigned count)
{
    (void)context;
    int sent = sendmmsg(fd, messages, count, MSG_DONTWAIT | MSG_NOSIGNAL);
    int error = errno;
    sl_give_way();
    errno = error;
    return sent;
}

static bool is_segmentation_known(int fd)
{
    int value;
    socklen_t size = sizeof value;
    return getsockopt(fd, IPPROTO_UDP, UDP_SEGMENT, &value, &size) == 0;
}

static void reset(sl_datagrams *datagrams)
{
    datagrams->message_count = datagrams->group_count = 0;
    datagrams->next = datagrams->arena;
    datagrams->is_run_open = false;
}

sl_datagrams *sl_datagrams_new(int fd, sl_send_messages send, void *context)
{
    sl_datagrams *datagrams = calloc(1, sizeof *datagrams);
    if (datagrams == NULL)
        return NULL;
    datagrams->fd = fd;
    datagrams->send = send ? send : send_messages;
    datagrams->context = context;
    datagrams->segments = send != NULL || is_segmentation_known(fd);
    for (size_t at = 0; at < MAX_MESSAGES; at++) {
        datagrams->messages[at].msg_hdr.msg_iov = &datagrams->pieces[at];
        datagrams->messages[at].msg_hdr.msg_iovlen = 1;
        datagrams->controls[at].header.cmsg_level = IPPROTO_UDP;
        datagrams->controls[at].header.cmsg_type = UDP_SEGMENT;
        datagrams->controls[at].header.cmsg_len = CMSG_LEN(sizeof(uint16_t));
    }
    reset(datagrams);
    return datagrams;
}

void sl_datagrams_free(sl_datagrams *datagrams)
{
    free(datagrams);
}

bool sl_datagrams_segments(const sl_datagrams *datagrams)
{
    return datagrams->segments;
}

void sl_datagrams_set_segments(sl_datagrams *datagrams, bool segments)
{
    datagrams->segments = segments;
}

/* ---- collecting ---- */

void sl_datagrams_reserve(sl_datagrams *datagrams, size_t bytes, size_t count)
{
    size_t used = (size_t)(datagrams->next - datagrams->arena);
    if (used + bytes > ARENA_BYTES || datagrams->message_count + count > MAX_MESSAGES)
        sl_datagrams_flush(datagrams);
}

void sl_datagrams_begin(sl_datagrams *datagrams, const sl_address *to, void *receiver,
                        sl_taken told)
{
    /* A receiver that got nothing gives its place to the next. */
    if (datagrams->group_count == 0 || datagrams->groups[datagrams->group_count - 1].queued > 0)
        datagrams->group_count++;
    datagrams->groups[datagrams->group_count - 1] =
        (group){.address = *to, .receiver = receiver, .told = told};
    datagrams->is_run_open = false;
}

uint8_t *sl_datagrams_next(sl_datagrams *datagrams)
{
    return datagrams->next;
}

static bool joins(const sl_datagrams *datagrams, size_t size)
{
    if (!datagrams->is_run_open || !datagrams->segments)
        return false;
    const run *open = &datagrams->runs[datagrams->message_count - 1];
    return open->segment <= MAX_SEGMENT_BYTES && size <= open->segment &&
           open->count < MAX_SEGMENTS && (open->count + 1u) * open->segment <= MAX_RUN_BYTES;
}

static void join(sl_datagrams *datagrams, size_t size)
{
    size_t at = datagrams->message_count - 1;
    run *open = &datagrams->runs[at];
    struct msghdr *header = &datagrams->messages[at].msg_hdr;
    if (open->count++ == 1) {
        uint16_t segment = (uint16_t)open->segment;
        memcpy(CMSG_DATA(&datagrams->controls[at].header), &segment, sizeof segment);
        header->msg_control = &datagrams->controls[at];
        header->msg_controllen = CMSG_SPACE(sizeof segment);
    }
    datagrams->pieces[at].iov_len += size;
    datagrams->is_run_open = size == open->segment; /* a shorter one is the last */
}

static void open_run(sl_datagrams *datagrams, size_t size)
{
    size_t at = datagrams->message_count++;
    struct msghdr *header = &datagrams->messages[at].msg_hdr;
    group *to = &datagrams->groups[datagrams->group_count - 1];
    datagrams->runs[at] = (run){(uint16_t)(datagrams->group_count - 1), 1, (uint32_t)size};
    datagrams->pieces[at] = (struct iovec){datagrams->next, size};
    header->msg_name = &to->address.name;
    header->msg_namelen = to->address.size;
    header->msg_control = NULL;
    header->msg_controllen = 0;
    datagrams->is_run_open = true;
}

void sl_datagrams_add(sl_datagrams *datagrams, size_t size)
{
    if (joins(datagrams, size))
        join(datagrams, size);
    else
        open_run(datagrams, size);
    datagrams->groups[datagrams->group_count - 1].queued++;
    datagrams->next += size;
}

/* ---- sending ---- */

static int try_to_send(sl_datagrams *datagrams, struct mmsghdr *messages, size_t count)
{
    int sent;
    do
        sent = datagrams->send(datagrams->context, datagrams->fd, messages, (unsigned)count);
    while (sent < 0 && errno == EINTR);
    return sent;
}

static bool refuses_segments(int error)
{
    return error == EIO || error == EINVAL || error == EOPNOTSUPP || error == ENOPROTOOPT;
}

/* Sends the datagrams of a run each by itself; how many were taken before one was not. */
static size_t send_plainly(sl_datagrams *datagrams, size_t at)
{
    struct mmsghdr messages[MAX_SEGMENTS];
    struct iovec pieces[MAX_SEGMENTS];
    const run *whole = &datagrams->runs[at];
    uint8_t *from = datagrams->pieces[at].iov_base;
    size_t left = datagrams->pieces[at].iov_len, taken = 0;
    for (size_t number = 0; number < whole->count; number++) {
        size_t size = left < whole->segment ? left : whole->segment;
        pieces[number] = (struct iovec){from, size};
        messages[number] = (struct mmsghdr){
            .msg_hdr = {
                .msg_name = datagrams->messages[at].msg_hdr.msg_name,
                .msg_namelen = datagrams->messages[at].msg_hdr.msg_namelen,
                .msg_iov = &pieces[number],
                .msg_iovlen = 1,
            },
        };
        from += size;
        left -= size;
    }
    while (taken < whole->count) {
        int sent = try_to_send(datagrams, messages + taken, whole->count - taken);
        if (sent <= 0)
            break;
        taken += (size_t)sent;
    }
    return taken;
}

static group *group_of(sl_datagrams *datagrams, size_t at)
{
    return &datagrams->groups[datagrams->runs[at].group];
}

/* Where the next receiver's messages begin. */
static size_t next_group(const sl_datagrams *datagrams, size_t at)
{
    uint16_t refused = datagrams->runs[at].group;
    while (at < datagrams->message_count && datagrams->runs[at].group == refused)
        at++;
    return at;
}

/* Sends a run that can't go as one message; where to go on. */
static size_t send_split(sl_datagrams *datagrams, size_t at)
{
    size_t taken = send_plainly(datagrams, at);
    group_of(datagrams, at)->taken += taken;
    if (taken > 0) /* so it was the segmentation that was refused, not the address */
        datagrams->segments = false;
    return taken == datagrams->runs[at].count ? at + 1 : next_group(datagrams, at);
}

/* The end of the messages from `at` on that can go as they are. */
static size_t sendable_until(const sl_datagrams *datagrams, size_t at)
{
    if (datagrams->segments)
        return datagrams->message_count;
    while (at < datagrams->message_count && datagrams->runs[at].count == 1)
        at++;
    return at;
}

/* Sends some of the messages from `at` on; where to go on. */
static size_t send_from(sl_datagrams *datagrams, size_t at)
{
    size_t until = sendable_until(datagrams, at);
    if (until == at)
        return send_split(datagrams, at);
    int sent = try_to_send(datagrams, datagrams->messages + at, until - at);
    if (sent > 0) {
        for (size_t end = at + (size_t)sent; at < end; at++)
            group_of(datagrams, at)->taken += datagrams->runs[at].count;
        return at;
    }
    if (sent < 0 && datagrams->runs[at].count > 1 && refuses_segments(errno))
        return send_split(datagrams, at);
    return next_group(datagrams, at); /* it would wait, or there is no way to that address */
}

void sl_datagrams_flush(sl_datagrams *datagrams)
{
    for (size_t at = 0; at < datagrams->message_count;)
        at = send_from(datagrams, at);
    for (size_t at = 0; at < datagrams->group_count; at++) {
        const group *done = &datagrams->groups[at];
        if (done->queued > 0 && done->told != NULL)
            done->told(done->receiver, done->taken, done->queued);
    }
    reset(datagrams);
}
