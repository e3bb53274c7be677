#include "viewers.h"

#include <stdlib.h>
#include <string.h>

enum { FIRST_CAPACITY = 16 };

void sl_viewers_clear(sl_viewers *viewers)
{
    for (size_t at = 0; at < viewers->count; at++)
        sl_egress_free(viewers->order[at]);
    free(viewers->order);
    free(viewers->by_id);
    memset(viewers, 0, sizeof *viewers);
}

/* Where the search for an id begins (the finalizer of splitmix64). */
static size_t home(const sl_viewers *viewers, uint64_t id)
{
    id = (id ^ id >> 30) * UINT64_C(0xBF58476D1CE4E5B9);
    id = (id ^ id >> 27) * UINT64_C(0x94D049BB133111EB);
    return (size_t)(id ^ id >> 31) & (viewers->places - 1);
}

/* The place of an id, or the empty one where it would be. */
static size_t place_of(const sl_viewers *viewers, uint64_t id)
{
    size_t place = home(viewers, id);
    while (viewers->by_id[place] != NULL && viewers->by_id[place]->id != id)
        place = (place + 1) & (viewers->places - 1);
    return place;
}

sl_egress *sl_viewers_find(const sl_viewers *viewers, uint64_t id)
{
    return viewers->count ? viewers->by_id[place_of(viewers, id)] : NULL;
}

static bool grow(sl_viewers *viewers)
{
    size_t capacity = viewers->capacity ? 2 * viewers->capacity : FIRST_CAPACITY;
    sl_egress **order = realloc(viewers->order, capacity * sizeof *order);
    if (order == NULL)
        return false;
    viewers->order = order;
    sl_egress **by_id = calloc(2 * capacity, sizeof *by_id);
    if (by_id == NULL)
        return false;
    free(viewers->by_id);
    viewers->by_id = by_id;
    viewers->places = 2 * capacity;
    viewers->capacity = capacity;
    for (size_t at = 0; at < viewers->count; at++)
        by_id[place_of(viewers, order[at]->id)] = order[at];
    return true;
}

bool sl_viewers_add(sl_viewers *viewers, sl_egress *egress)
{
    if (viewers->count == viewers->capacity && !grow(viewers))
        return false;
    viewers->order[viewers->count++] = egress;
    viewers->by_id[place_of(viewers, egress->id)] = egress;
    return true;
}

/* Empties a place and moves up those behind it that are not where their search begins. */
static void empty(sl_viewers *viewers, size_t hole)
{
    size_t last = viewers->places - 1;
    for (size_t place = (hole + 1) & last; viewers->by_id[place] != NULL;
         place = (place + 1) & last) {
        size_t from = home(viewers, viewers->by_id[place]->id);
        if (((place - from) & last) >= ((place - hole) & last)) {
            viewers->by_id[hole] = viewers->by_id[place];
            hole = place;
        }
    }
    viewers->by_id[hole] = NULL;
}

sl_egress *sl_viewers_take(sl_viewers *viewers, uint64_t id)
{
    sl_egress *egress = sl_viewers_find(viewers, id);
    if (egress == NULL)
        return NULL;
    empty(viewers, place_of(viewers, id));
    size_t at = 0;
    while (viewers->order[at] != egress)
        at++;
    viewers->count--;
    memmove(viewers->order + at, viewers->order + at + 1,
            (viewers->count - at) * sizeof *viewers->order);
    return egress;
}
