#define _GNU_SOURCE
#include "intake.h"

#include <netinet/in.h>
#include <netinet/udp.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <time.h>

#ifndef UDP_GRO
#define UDP_GRO 104
#endif

enum {
    BUFFER_BYTES = 65536, /* no datagram and no run of them is longer; pages come with use */
    KERNEL_BUFFER_BYTES = 8 * 1024 * 1024,
    CONTROL_BYTES = CMSG_SPACE(sizeof(int)) + CMSG_SPACE(sizeof(struct timespec)),
};

typedef union {
    struct cmsghdr aligned;
    uint8_t bytes[CONTROL_BYTES];
} control;

struct sl_intake {
    int fd;
    uint8_t *arena; /* SL_INTAKE_MESSAGES times BUFFER_BYTES */
    struct mmsghdr headers[SL_INTAKE_MESSAGES];
    struct iovec buffers[SL_INTAKE_MESSAGES];
    struct sockaddr_storage from[SL_INTAKE_MESSAGES];
    control controls[SL_INTAKE_MESSAGES];
    size_t used; /* headers that the kernel wrote to in the last read */
};

static void enlarge(int fd, int force, int option)
{
    int bytes = KERNEL_BUFFER_BYTES;
    if (setsockopt(fd, SOL_SOCKET, force, &bytes, sizeof bytes) != 0) /* only root may */
        (void)setsockopt(fd, SOL_SOCKET, option, &bytes, sizeof bytes);
}

static void set_options(int fd)
{
    int on = 1;
    enlarge(fd, SO_RCVBUFFORCE, SO_RCVBUF);
    enlarge(fd, SO_SNDBUFFORCE, SO_SNDBUF);
    /* Without them it works as well: one datagram a message, of an unknown age. */
    (void)setsockopt(fd, IPPROTO_UDP, UDP_GRO, &on, sizeof on);
    (void)setsockopt(fd, SOL_SOCKET, SO_TIMESTAMPNS, &on, sizeof on);
}

sl_intake *sl_intake_new(int fd)
{
    sl_intake *intake = calloc(1, sizeof *intake);
    if (intake == NULL)
        return NULL;
    size_t bytes = (size_t)SL_INTAKE_MESSAGES * BUFFER_BYTES;
    intake->arena =
        mmap(NULL, bytes, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    if (intake->arena == MAP_FAILED) {
        free(intake);
        return NULL;
    }
    intake->fd = fd;
    intake->used = SL_INTAKE_MESSAGES;
    set_options(fd);
    for (size_t i = 0; i < SL_INTAKE_MESSAGES; i++) {
        intake->buffers[i] = (struct iovec){intake->arena + i * BUFFER_BYTES, BUFFER_BYTES};
        intake->headers[i].msg_hdr = (struct msghdr){
            .msg_name = &intake->from[i],
            .msg_iov = &intake->buffers[i],
            .msg_iovlen = 1,
            .msg_control = intake->controls[i].bytes,
        };
    }
    return intake;
}

void sl_intake_free(sl_intake *intake)
{
    if (intake == NULL)
        return;
    munmap(intake->arena, (size_t)SL_INTAKE_MESSAGES * BUFFER_BYTES);
    free(intake);
}

size_t sl_intake_read(sl_intake *intake)
{
    for (size_t i = 0; i < intake->used; i++) { /* the kernel shortened them */
        intake->headers[i].msg_hdr.msg_namelen = sizeof intake->from[i];
        intake->headers[i].msg_hdr.msg_controllen = sizeof intake->controls[i].bytes;
    }
    int count = recvmmsg(intake->fd, intake->headers, SL_INTAKE_MESSAGES, MSG_DONTWAIT, NULL);
    /* An error is an ICMP message about something sent earlier: the peer's timer decides. */
    intake->used = count > 0 ? (size_t)count : 1;
    return count > 0 ? (size_t)count : 0;
}

static void read_control(struct msghdr *header, sl_message *message)
{
    for (struct cmsghdr *c = CMSG_FIRSTHDR(header); c != NULL; c = CMSG_NXTHDR(header, c)) {
        if (c->cmsg_level == IPPROTO_UDP && c->cmsg_type == UDP_GRO) {
            int segment;
            memcpy(&segment, CMSG_DATA(c), sizeof segment);
            if (segment > 0)
                message->segment = (size_t)segment;
        } else if (c->cmsg_level == SOL_SOCKET && c->cmsg_type == SCM_TIMESTAMPNS) {
            struct timespec at;
            memcpy(&at, CMSG_DATA(c), sizeof at);
            message->arrived_at = (double)at.tv_sec + (double)at.tv_nsec * 1e-9;
        }
    }
}

sl_message sl_intake_message(const sl_intake *intake, size_t at)
{
    struct msghdr header = intake->headers[at].msg_hdr;
    size_t size = intake->headers[at].msg_len;
    sl_message message = {
        .bytes = intake->buffers[at].iov_base,
        .size = size,
        .segment = size,
        .is_cut_off = (header.msg_flags & MSG_TRUNC) != 0,
        .from = (const struct sockaddr *)&intake->from[at],
    };
    read_control(&header, &message);
    return message;
}
