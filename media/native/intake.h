/* Many datagrams in one system call: recvmmsg, with UDP receive offload (GRO) where the kernel has
 * it, which hands over a run of equal datagrams as one. */
#ifndef SL_INTAKE_H
#define SL_INTAKE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/socket.h>

enum { SL_INTAKE_MESSAGES = 64 };

/* One or more datagrams of a peer, `segment` bytes each but the last, which may be shorter. */
typedef struct {
    uint8_t *bytes;
    size_t size, segment;
    bool is_cut_off; /* longer than any datagram can be */
    const struct sockaddr *from;
    double arrived_at; /* when the kernel had it, in seconds of CLOCK_REALTIME; 0: not told */
} sl_message;

typedef struct sl_intake sl_intake;

/* Reads `fd`, which the caller owns, with large buffers in the kernel. NULL: no memory. */
sl_intake *sl_intake_new(int fd);
void sl_intake_free(sl_intake *intake);

/* How many messages there were, without waiting; they are valid until the next call. */
size_t sl_intake_read(sl_intake *intake);
sl_message sl_intake_message(const sl_intake *intake, size_t at);

#endif
