/* How well one RTP source is received (RFC 3550 §6.4.1, §A.8): media/relay/reception.py. */
#ifndef SL_RECEPTION_H
#define SL_RECEPTION_H

#include <stdbool.h>
#include <stdint.h>

typedef struct {
    uint32_t clock_rate;
    int64_t first, highest; /* extended sequence numbers */
    int64_t received;
    int64_t reported_expected, reported_received;
    double jitter; /* in timestamp units */
    bool has_arrival, has_sr;
    double arrival; /* when the last packet came */
    uint32_t arrival_timestamp;
    uint32_t last_sr; /* middle 32 bits of the NTP time */
    double last_sr_at;
} sl_reception;

typedef struct {
    uint32_t ssrc;
    uint8_t fraction_lost; /* in 1/256 since the last report */
    int64_t lost;
    uint32_t highest_sequence;
    uint32_t jitter;
    uint32_t last_sr;
    int64_t delay; /* in 1/65536 s */
} sl_report_block;

void sl_reception_init(sl_reception *reception, int64_t first, uint32_t clock_rate);

/* Packets expected and not received; negative when duplicates outnumber losses. */
int64_t sl_reception_lost(const sl_reception *reception);

/* Count a packet by its extended number; `now` is monotonic seconds. */
void sl_reception_received(
    sl_reception *reception, int64_t sequence, uint32_t timestamp, double now
);

/* Remember the sender's clock, which the next reports echo so that it learns the RTT. */
void sl_reception_on_sender_report(sl_reception *reception, uint64_t ntp, double now);

/* The block about everything until `now`; its fraction covers the time since the last. */
sl_report_block sl_reception_report(sl_reception *reception, uint32_t ssrc, double now);

#endif
