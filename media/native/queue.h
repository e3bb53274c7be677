/* Records from the plane's thread to whoever drains them, in order, bounded by bytes.
 *
 * Two buffers take turns: the producer fills one while the consumer reads the other, so that neither
 * waits longer than a copy of one record. What finds no room is refused, and the producer counts
 * it. */
#ifndef SL_QUEUE_H
#define SL_QUEUE_H

#include <pthread.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "datagrams.h"

/* In front of its bytes; `kind` and `number` are the user's. */
typedef struct {
    uint32_t kind;
    uint32_t size;
    uint64_t number;
    sl_address address;
} sl_record;

typedef struct {
    pthread_mutex_t lock;
    size_t capacity;
    uint8_t *filling, *reading;
    size_t filled; /* of filling */
    bool told;     /* the consumer knows that there is something */
} sl_queue;

/* False: no memory. */
bool sl_queue_init(sl_queue *queue, size_t capacity);
void sl_queue_free(sl_queue *queue);

typedef enum {
    SL_QUEUE_FULL,
    SL_QUEUE_TAKEN,
    SL_QUEUE_TELL, /* taken, and the consumer has to be woken */
} sl_queue_result;

/* Copies a record and its bytes, if that leaves `spared` bytes free for others. */
sl_queue_result sl_queue_push(
    sl_queue *queue, const sl_record *record, const uint8_t *bytes, size_t spared
);

/* All records so far, valid until the next call: `size` bytes, to be walked by sl_queue_next. */
const uint8_t *sl_queue_take(sl_queue *queue, size_t *size);

/* The record at `*at` and its bytes; moves `*at` to the next. False at the end. */
bool sl_queue_next(
    const uint8_t *taken, size_t size, size_t *at, sl_record *record, const uint8_t **bytes
);

#endif
