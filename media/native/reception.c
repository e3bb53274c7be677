#include "reception.h"

#include <math.h>

static const double MAX_32_BITS = 4294967295.0;

void sl_reception_init(sl_reception *reception, int64_t first, uint32_t clock_rate)
{
    *reception = (sl_reception){.clock_rate = clock_rate, .first = first, .highest = first - 1};
}

static int64_t expected_packets(const sl_reception *reception)
{
    return reception->highest - reception->first + 1;
}

int64_t sl_reception_lost(const sl_reception *reception)
{
    return expected_packets(reception) - reception->received;
}

void sl_reception_received(sl_reception *reception, int64_t sequence, uint32_t timestamp, double now)
{
    reception->received++;
    if (sequence > reception->highest)
        reception->highest = sequence;
    if (reception->has_arrival) {
        int32_t sent = (int32_t)(timestamp - reception->arrival_timestamp); /* wraps at 32 bits */
        double deviation = fabs((now - reception->arrival) * reception->clock_rate - sent);
        reception->jitter += (deviation - reception->jitter) / 16;
    }
    reception->has_arrival = true;
    reception->arrival = now;
    reception->arrival_timestamp = timestamp;
}

void sl_reception_on_sender_report(sl_reception *reception, uint64_t ntp, double now)
{
    reception->has_sr = true;
    reception->last_sr = (uint32_t)(ntp >> 16);
    reception->last_sr_at = now;
}

static uint8_t fraction(int64_t lost, int64_t expected)
{
    if (expected <= 0 || lost <= 0)
        return 0;
    int64_t share = lost * 256 / expected;
    return share < 255 ? (uint8_t)share : 255;
}

sl_report_block sl_reception_report(sl_reception *reception, uint32_t ssrc, double now)
{
    int64_t expected = expected_packets(reception) - reception->reported_expected;
    int64_t lost = expected - (reception->received - reception->reported_received);
    reception->reported_expected = expected_packets(reception);
    reception->reported_received = reception->received;
    double delay = reception->has_sr ? rint((now - reception->last_sr_at) * 65536) : 0;
    return (sl_report_block){
        .ssrc = ssrc,
        .fraction_lost = fraction(lost, expected),
        .lost = sl_reception_lost(reception),
        .highest_sequence = (uint32_t)reception->highest,
        .jitter = (uint32_t)fmin(reception->jitter, MAX_32_BITS),
        .last_sr = reception->last_sr,
        .delay = (int64_t)fmin(delay, MAX_32_BITS),
    };
}
