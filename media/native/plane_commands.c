/* What the thread does when the event loop tells it to. */
#include "plane_state.h"

static void add_peer(sl_plane *plane, sl_command *command, double now)
{
    (void)now;
    if (command->peer->is_added)
        return;
    sl_peer *peer = sl_peer_retain(command->peer);
    peer->is_added = true;
    peer->next = plane->peers;
    if (plane->peers)
        plane->peers->previous = peer;
    plane->peers = peer;
}

static void remove_peer(sl_plane *plane, sl_command *command, double now)
{
    (void)now;
    sl_peer *peer = command->peer;
    if (!peer->is_added)
        return;
    peer->is_added = false;
    sl_peer_unbind_all(peer, &plane->addresses);
    if (peer->stream && peer->stream->fanout)
        sl_fanout_remove_viewer(peer->stream->fanout, peer->number);
    sl_peer_join(peer, NULL);
    if (peer->previous)
        peer->previous->next = peer->next;
    else
        plane->peers = peer->next;
    if (peer->next)
        peer->next->previous = peer->previous;
    sl_peer_release(peer);
}

static void bind_address(sl_plane *plane, sl_command *command, double now)
{
    (void)now;
    sl_address_key key = sl_address_key_of(&command->address.name.any);
    key.ssrc = command->ssrc;
    if (command->peer->is_added) /* the table holds no reference */
        sl_peer_bind(command->peer, &plane->addresses, &key);
}

static void unbind_address(sl_plane *plane, sl_command *command, double now)
{
    (void)now;
    sl_address_key key = sl_address_key_of(&command->address.name.any);
    sl_peer_unbind(command->peer, &plane->addresses, &key);
}

static void select_address(sl_plane *plane, sl_command *command, double now)
{
    (void)plane, (void)now;
    sl_peer *peer = command->peer;
    if (peer->stream && peer->stream->fanout)
        sl_fanout_set_address(peer->stream->fanout, peer->number, &command->address);
}

static void add_stream(sl_plane *plane, sl_command *command, double now)
{
    (void)now;
    sl_stream *stream = sl_stream_retain(command->stream);
    stream->next = plane->streams;
    if (plane->streams)
        plane->streams->previous = stream;
    plane->streams = stream;
}

static void close_stream(sl_plane *plane, sl_command *command, double now)
{
    (void)now;
    sl_stream *stream = command->stream;
    if (stream->fanout == NULL) /* it is over already */
        return;
    sl_stream_close(stream);
    if (stream->previous)
        stream->previous->next = stream->next;
    else
        plane->streams = stream->next;
    if (stream->next)
        stream->next->previous = stream->previous;
    sl_stream_release(stream);
}

static void publish(sl_plane *plane, sl_command *command, double now)
{
    (void)plane, (void)now;
    sl_peer_join(command->peer, command->stream);
}

static void add_viewer(sl_plane *plane, sl_command *command, double now)
{
    sl_fanout *fanout = command->stream->fanout;
    if (fanout == NULL || sl_fanout_add_viewer(fanout, command->viewer) != SL_FANOUT_OK)
        return;
    if (command->peer) {
        command->peer->resends = sl_budget_full(plane->settings.resends_per_s, now);
        sl_peer_join(command->peer, command->stream);
    }
}

static void remove_viewer(sl_plane *plane, sl_command *command, double now)
{
    (void)plane, (void)now;
    if (command->stream->fanout)
        sl_fanout_remove_viewer(command->stream->fanout, command->number);
    if (command->peer && command->peer->stream == command->stream)
        sl_peer_join(command->peer, NULL);
}

static void pause_viewer(sl_plane *plane, sl_command *command, double now)
{
    (void)plane, (void)now;
    if (command->stream->fanout)
        sl_fanout_pause(command->stream->fanout, command->number);
}

static void resume_viewer(sl_plane *plane, sl_command *command, double now)
{
    (void)plane, (void)now;
    if (command->stream->fanout)
        sl_fanout_resume(command->stream->fanout, command->number);
}

static void resend(sl_plane *plane, sl_command *command, double now)
{
    if (command->stream->fanout)
        sl_fanout_resend(
            command->stream->fanout, plane->datagrams, command->number, command->ssrc,
            command->sequences, command->count, now
        );
}

void sl_plane_do(sl_plane *plane, sl_command *command, double now)
{
    static void (*const handlers[SL_COMMANDS])(sl_plane *, sl_command *, double) = {
        [SL_ADD_PEER] = add_peer,
        [SL_BIND] = bind_address,
        [SL_UNBIND] = unbind_address,
        [SL_SELECT] = select_address,
        [SL_REMOVE_PEER] = remove_peer,
        [SL_ADD_STREAM] = add_stream,
        [SL_CLOSE_STREAM] = close_stream,
        [SL_PUBLISH] = publish,
        [SL_ADD_VIEWER] = add_viewer,
        [SL_REMOVE_VIEWER] = remove_viewer,
        [SL_PAUSE] = pause_viewer,
        [SL_RESUME] = resume_viewer,
        [SL_RESEND] = resend,
    };
    handlers[command->kind](plane, command, now);
    sl_command_free(command);
}
