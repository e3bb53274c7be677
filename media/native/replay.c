#include "replay.h"

#include <stdlib.h>
#include <string.h>

enum { FIRST_CAPACITY = 2, SEQUENCE_MEDIAN = 1 << 15 };

void sl_replays_clear(sl_replays *replays)
{
    free(replays->entries);
    memset(replays, 0, sizeof *replays);
}

sl_replay *sl_replays_find(const sl_replays *replays, uint32_t ssrc)
{
    for (size_t at = 0; at < replays->count; at++)
        if (replays->entries[at].ssrc == ssrc)
            return &replays->entries[at];
    return NULL;
}

bool sl_replays_full(const sl_replays *replays)
{
    return replays->count >= SL_SRTP_MAX_SSRCS;
}

static bool grow(sl_replays *replays)
{
    size_t capacity = replays->capacity ? 2 * replays->capacity : FIRST_CAPACITY;
    sl_replay *entries = realloc(replays->entries, capacity * sizeof *entries);
    if (entries == NULL)
        return false;
    replays->entries = entries;
    replays->capacity = capacity;
    return true;
}

sl_replay *sl_replays_add(sl_replays *replays, uint32_t ssrc)
{
    if (sl_replays_full(replays))
        return NULL;
    if (replays->count == replays->capacity && !grow(replays))
        return NULL;
    sl_replay *replay = &replays->entries[replays->count++];
    memset(replay, 0, sizeof *replay);
    replay->ssrc = ssrc;
    return replay;
}

uint64_t sl_replay_index(const sl_replay *replay, uint16_t sequence)
{
    /* Up to the middle of the first round there was no rollover, whatever comes late. */
    if (replay == NULL || replay->highest <= SEQUENCE_MEDIAN)
        return sequence;
    uint64_t rollovers = replay->highest >> 16;
    uint16_t highest = (uint16_t)replay->highest;
    /* RFC 3711 §3.3.1: the rollover counter that makes the index closest to the highest. */
    if (highest < SEQUENCE_MEDIAN) {
        if (sequence - highest > SEQUENCE_MEDIAN)
            rollovers--;
    } else if (highest - SEQUENCE_MEDIAN > sequence) {
        rollovers++;
    }
    return rollovers << 16 | sequence;
}

static uint64_t bit_of(uint64_t index)
{
    return UINT64_C(1) << (index % 64);
}

static size_t word_of(uint64_t index)
{
    return (size_t)(index % SL_SRTP_WINDOW / 64);
}

bool sl_replay_is_new(const sl_replay *replay, uint64_t index)
{
    if (replay == NULL || index > replay->highest)
        return true;
    if (index + SL_SRTP_WINDOW <= replay->highest)
        return false;
    return (replay->seen[word_of(index)] & bit_of(index)) == 0;
}

void sl_replay_note(sl_replay *replay, uint64_t index)
{
    if (index > replay->highest) {
        if (index - replay->highest >= SL_SRTP_WINDOW)
            memset(replay->seen, 0, sizeof replay->seen);
        else
            for (uint64_t skipped = replay->highest + 1; skipped < index; skipped++)
                replay->seen[word_of(skipped)] &= ~bit_of(skipped);
        replay->highest = index;
    }
    replay->seen[word_of(index)] |= bit_of(index);
}
