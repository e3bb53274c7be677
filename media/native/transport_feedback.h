/* Transport-wide feedback: whether a message is whole. media.wire.transport_feedback reads what it
 * says.
 */
#ifndef SL_TRANSPORT_FEEDBACK_H
#define SL_TRANSPORT_FEEDBACK_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Whether what follows the RTCP header has as many statuses as it claims. */
bool sl_transport_feedback_is_whole(const uint8_t *body, size_t size);

#endif
