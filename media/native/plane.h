/* The data plane of one UDP socket: a thread that receives, decrypts, forwards and encrypts.
 *
 *     event loop ── commands ──▶ thread ── control, feedback (and event_fd) ──▶ event loop
 *
 * The thread owns the address table, the fan-outs and whatever peer.h and stream.h call its own; it
 * takes no lock for longer than a copy or the work on one batch, and runs no Python. All functions
 * here are called in one thread, the event loop's. */
#ifndef SL_PLANE_H
#define SL_PLANE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "commands.h"
#include "counts.h"
#include "queue.h"
#include "times.h"

typedef struct {
    sl_fanout_limits fanout;
    double resends_per_s;             /* lost packets that one viewer gets again */
    double max_publisher_bitrate_bps; /* beyond it packets are dropped */
    uint8_t seed[SL_ADDRESSES_SEED];  /* of the address table's hash: random */
} sl_plane_settings;

/* Kinds of records in the queues. In `control`: a sl_datagram_kind, SL_STUN or SL_DTLS. In
 * `feedback`: */
typedef enum {
    SL_FEEDBACK_RTCP,      /* number: the peer; bytes: a decrypted compound packet */
    SL_FEEDBACK_ATTENTION, /* number: the stream */
} sl_feedback_kind;

typedef struct sl_plane sl_plane;

/* Duplicates `fd`, a bound UDP socket. NULL and errno: it can't. */
sl_plane *sl_plane_new(int fd, const sl_plane_settings *settings);

/* Starts the thread; false and errno: it can't. */
bool sl_plane_start(sl_plane *plane);

/* Ends the thread, waits for it, and frees what it had. May be called twice. */
void sl_plane_stop(sl_plane *plane);
void sl_plane_free(sl_plane *plane); /* after sl_plane_stop */

const sl_plane_settings *sl_plane_settings_of(const sl_plane *plane);

/* Readable whenever records wait; sl_plane_hear empties it before they are taken. */
int sl_plane_event_fd(const sl_plane *plane);
void sl_plane_hear(sl_plane *plane);
sl_queue *sl_plane_control(sl_plane *plane);
sl_queue *sl_plane_feedback(sl_plane *plane);

/* Takes ownership of `command`; false when it is NULL, or too many wait: then nothing happens. On a
 * plane that was stopped nothing happens either. */
bool sl_plane_command(sl_plane *plane, sl_command *command);

/* Sends a datagram over the socket without waiting; whether it went. */
bool sl_plane_send(sl_plane *plane, const uint8_t *bytes, size_t size, const sl_address *to);

/* CPU time that the thread has used, in seconds; 0 when it does not run. */
double sl_plane_cpu_s(const sl_plane *plane);

const sl_counts *sl_plane_counts(const sl_plane *plane);

/* In place of the thread, on a plane that was not started: does all commands that wait; handles a
 * datagram as if it had been read from `from`, decrypting it in place. */
void sl_plane_do_all(sl_plane *plane, double now);
void sl_plane_receive(sl_plane *plane, uint8_t *bytes, size_t size, const sl_address *from,
                      double now);

/* From the arrival of a publisher's packet to when the last viewer's was sent. */
const sl_times *sl_plane_times(const sl_plane *plane);

#endif
