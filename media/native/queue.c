#include "queue.h"

#include <stdlib.h>
#include <string.h>

bool sl_queue_init(sl_queue *queue, size_t capacity)
{
    *queue = (sl_queue){.capacity = capacity};
    queue->filling = malloc(capacity);
    queue->reading = malloc(capacity);
    if (queue->filling && queue->reading && pthread_mutex_init(&queue->lock, NULL) == 0)
        return true;
    free(queue->filling);
    free(queue->reading);
    return false;
}

void sl_queue_free(sl_queue *queue)
{
    pthread_mutex_destroy(&queue->lock);
    free(queue->filling);
    free(queue->reading);
}

sl_queue_result sl_queue_push(
    sl_queue *queue, const sl_record *record, const uint8_t *bytes, size_t spared
)
{
    size_t needed = sizeof *record + record->size;
    sl_queue_result result = SL_QUEUE_FULL;
    pthread_mutex_lock(&queue->lock);
    if (queue->filled + needed + spared <= queue->capacity) {
        uint8_t *to = queue->filling + queue->filled;
        memcpy(to, record, sizeof *record);
        if (record->size)
            memcpy(to + sizeof *record, bytes, record->size);
        queue->filled += needed;
        result = queue->told ? SL_QUEUE_TAKEN : SL_QUEUE_TELL;
        queue->told = true;
    }
    pthread_mutex_unlock(&queue->lock);
    return result;
}

const uint8_t *sl_queue_take(sl_queue *queue, size_t *size)
{
    pthread_mutex_lock(&queue->lock);
    uint8_t *taken = queue->filling;
    *size = queue->filled;
    queue->filling = queue->reading;
    queue->reading = taken;
    queue->filled = 0;
    queue->told = false;
    pthread_mutex_unlock(&queue->lock);
    return taken;
}

bool sl_queue_next(
    const uint8_t *taken, size_t size, size_t *at, sl_record *record, const uint8_t **bytes
)
{
    if (*at >= size)
        return false;
    memcpy(record, taken + *at, sizeof *record);
    *bytes = taken + *at + sizeof *record;
    *at += sizeof *record + record->size;
    return true;
}
