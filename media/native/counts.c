#include "counts.h"

const char *const sl_drop_names[SL_DROPS] = {
    [SL_DROP_TOO_LONG] = "too_long",
    [SL_DROP_UNKNOWN_PROTOCOL] = "unknown_protocol",
    [SL_DROP_RTP_OF_NO_PUBLISHER] = "rtp_of_no_publisher",
    [SL_DROP_RTP_REFUSED] = "rtp_refused",
    [SL_DROP_RTCP_OF_NO_SESSION] = "rtcp_of_no_session",
    [SL_DROP_RTCP_REFUSED] = "rtcp_refused",
    [SL_DROP_RTCP_MALFORMED] = "rtcp_malformed",
    [SL_DROP_RTCP_OVERFLOW] = "rtcp_overflow",
    [SL_DROP_CONTROL_OVERFLOW] = "control_overflow",
    [SL_DROP_NACK_OVER_BUDGET] = "nack_over_budget",
};

const char *const sl_datagram_names[SL_DATAGRAM_KINDS] = {
    [SL_STUN] = "stun",
    [SL_DTLS] = "dtls",
    [SL_RTP] = "rtp",
    [SL_RTCP] = "rtcp",
    [SL_OTHER] = "other",
};
