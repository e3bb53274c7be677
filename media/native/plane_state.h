/* What the plane's thread works on; for plane*.c alone. */
#ifndef SL_PLANE_STATE_H
#define SL_PLANE_STATE_H

#include <pthread.h>

#include "addresses.h"
#include "datagrams.h"
#include "ingest.h"
#include "intake.h"
#include "plane.h"
#include "rtcp.h"

/* A publisher's packet, decrypted, that waits for the end of the read. */
typedef struct {
    sl_peer *peer;
    sl_plain plain;
    double arrived_at;
} sl_pending;

struct sl_plane {
    sl_plane_settings settings;
    int fd, event_fd, wake_fd, epoll_fd;
    bool is_running, is_stopped; /* the event loop's */
    bool is_stopping; /* atomic */
    pthread_t thread;

    sl_commands commands;
    sl_queue control, feedback;
    sl_counts counts;
    sl_times times;

    /* The thread's. */
    sl_command *waiting_commands; /* taken, not yet done */
    sl_intake *intake;
    sl_datagrams *datagrams;
    sl_addresses addresses;
    sl_peer *peers;
    sl_stream *streams;
    sl_pending pending[SL_INGEST_MAX_BATCH];
    size_t pending_count;
    double relay_s; /* how long the last fan-out took */
    sl_plain batch[SL_INGEST_MAX_BATCH]; /* of one publisher */
    sl_packet relayed[2 * SL_INGEST_MAX_BATCH];
    sl_rtcp rtcp;
};

/* Does a command, and frees it. */
void sl_plane_do(sl_plane *plane, sl_command *command, double now);

/* Reads the socket once, and handles all that was there. */
void sl_plane_read(sl_plane *plane, double now);

/* Puts a record into a queue and wakes the event loop; false when there is no room. */
bool sl_plane_tell(sl_plane *plane, sl_queue *queue, const sl_record *record, const uint8_t *bytes,
                   size_t spared);

double sl_monotonic_s(void);

#endif
