/* What the event loop tells the plane's thread, in order. Nobody waits for the other: the list is
 * locked for a few pointers at a time. */
#ifndef SL_COMMANDS_H
#define SL_COMMANDS_H

#include <pthread.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "fanout.h"
#include "peer.h"
#include "stream.h"

enum { SL_MAX_COMMANDS = 65536 }; /* that may wait */

typedef enum {
    SL_ADD_PEER,       /* peer */
    SL_BIND,           /* peer, address, ssrc or 0 */
    SL_UNBIND,         /* peer, address */
    SL_SELECT,         /* peer, address */
    SL_REMOVE_PEER,    /* peer */
    SL_ADD_STREAM,     /* stream */
    SL_CLOSE_STREAM,   /* stream */
    SL_PUBLISH,        /* stream, peer */
    SL_ADD_VIEWER,     /* stream, viewer, peer or NULL */
    SL_REMOVE_VIEWER,  /* stream, number, peer or NULL */
    SL_PAUSE,          /* stream, number */
    SL_RESUME,         /* stream, number */
    SL_RESEND,         /* stream, number, ssrc, sequences, count */
    SL_COMMANDS,
} sl_command_kind;

/* Owns references to what it names, and the rest. */
typedef struct sl_command {
    struct sl_command *next;
    sl_command_kind kind;
    sl_peer *peer;
    sl_stream *stream;
    uint64_t number; /* of a viewer */
    sl_address address;
    sl_viewer *viewer;
    uint32_t ssrc;
    uint16_t *sequences;
    size_t count;
} sl_command;

/* Retains `peer` and `stream`, which may be NULL. NULL: no memory. */
sl_command *sl_command_new(sl_command_kind kind, sl_peer *peer, sl_stream *stream);
void sl_command_free(sl_command *command);

typedef struct {
    pthread_mutex_t lock;
    sl_command *first, *last;
    size_t count;
} sl_commands;

bool sl_commands_init(sl_commands *commands);
void sl_commands_free(sl_commands *commands); /* with those that wait */

typedef enum {
    SL_COMMANDS_FULL,
    SL_COMMANDS_TAKEN,
    SL_COMMANDS_WAKE, /* taken, and the first that waits: the thread has to be woken */
} sl_commands_result;

/* Takes ownership of `command`, unless there is no room. */
sl_commands_result sl_commands_push(sl_commands *commands, sl_command *command);

/* Takes all that wait, as a list in order; NULL: none. */
sl_command *sl_commands_take(sl_commands *commands);

#endif
