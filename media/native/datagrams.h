/* Datagrams to many receivers in few system calls: sendmmsg across receivers, UDP segmentation
 * offload (GSO) within one.
 *
 * media.relay.datagrams.SegmentingSender is the specification: runs of equal size (the last may be
 * shorter) go as one message; a refusal of segmentation is made good by sending plainly, and
 * remembered. After the first datagram of a receiver that the socket does not take, the rest of
 * that receiver's are left out; the next receiver is tried. Nothing is ever kept for later.
 *
 * Datagrams are written straight into the arena. One thread owns an `sl_datagrams`.
 *
 *     sl_datagrams_reserve(d, bytes, count);     may flush
 *     sl_datagrams_begin(d, &address, receiver, told);
 *     at = sl_datagrams_next(d); ... write ...; sl_datagrams_add(d, size);   up to `count` times
 *     sl_datagrams_flush(d);                     calls told(receiver, taken, queued) for each
 */
#ifndef SL_DATAGRAMS_H
#define SL_DATAGRAMS_H

#include <netinet/in.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/socket.h>

typedef struct {
    union {
        struct sockaddr any;
        struct sockaddr_in v4;
        struct sockaddr_in6 v6;
    } name;
    socklen_t size; /* 0: nowhere */
} sl_address;

struct mmsghdr; /* sys/socket.h, with _GNU_SOURCE */

enum {
    SL_DATAGRAMS_MAX_RESERVED = 64,             /* datagrams of one receiver at once */
    SL_DATAGRAMS_MAX_BYTES = 192 * 1024,        /* bytes of one receiver at once */
};

typedef struct sl_datagrams sl_datagrams;

/* As sendmmsg(fd, messages, count, MSG_DONTWAIT): how many were taken, or -1 and errno. */
typedef int (*sl_send_messages)(void *context, int fd, struct mmsghdr *messages, unsigned count);

/* Told once for each receiver at the flush: the socket took the first `taken` of `queued`. */
typedef void (*sl_taken)(void *receiver, size_t taken, size_t queued);

/* Sends over `fd`, a UDP socket that the caller owns; `send` NULL is sendmmsg. NULL: no memory. */
sl_datagrams *sl_datagrams_new(int fd, sl_send_messages send, void *context);
void sl_datagrams_free(sl_datagrams *datagrams);

/* Whether runs are segmented by the kernel; false once it refused. May be switched off. */
bool sl_datagrams_segments(const sl_datagrams *datagrams);
void sl_datagrams_set_segments(sl_datagrams *datagrams, bool segments);

/* Makes room for a receiver's next `count` datagrams of `bytes` together (within the maxima). */
void sl_datagrams_reserve(sl_datagrams *datagrams, size_t bytes, size_t count);

/* What is added from now on goes to `to`, which is copied; who waits is told by `told`. */
void sl_datagrams_begin(sl_datagrams *datagrams, const sl_address *to, void *receiver,
                        sl_taken told);
uint8_t *sl_datagrams_next(sl_datagrams *datagrams);
void sl_datagrams_add(sl_datagrams *datagrams, size_t size);

/* Sends all that was added. */
void sl_datagrams_flush(sl_datagrams *datagrams);

#endif
