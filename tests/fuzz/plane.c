/* libFuzzer on the data plane: arbitrary datagrams from a stranger, a publisher and a viewer.
 *
 * An input is a course of steps, each a byte that says what happens, two that say how long the rest
 * is, and the rest. What needs keys to get past the authentication is protected here with the
 * peer's own, as a malicious peer would do: so ingest, RTCP and resends are reached too. The thread
 * does not run: `sl_plane_receive` stands where the socket would be read.
 */
#include <arpa/inet.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "../../media/native/plane.h"

enum {
    AUDIO_TYPE = 111,
    VIDEO_TYPE = 96,
    RTX_TYPE = 97,
    PUBLISHER = 1,
    VIEWER = 2,
    MAX_STEPS = 200,
    MAX_DATAGRAM = 65535,
    STEP_HEADER = 3,
};

typedef struct {
    sl_plane *plane;
    sl_stream *stream;
    sl_peer *publisher, *viewer;
    sl_srtp *publisher_end, *viewer_end; /* the keys of the peers' own side */
    sl_address publisher_at, viewer_at, stranger_at;
    sl_codec codec;
    uint64_t index;
    double now;
} stage;

static int sink = -1; /* where all that is sent goes; its buffer is full soon, and that is fine */
static int sock = -1;

static sl_address at_port(uint16_t port)
{
    sl_address address = {.size = sizeof address.name.v4};
    address.name.v4.sin_family = AF_INET;
    address.name.v4.sin_port = htons(port);
    address.name.v4.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    return address;
}

static int bound_socket(sl_address *address)
{
    int fd = socket(AF_INET, SOCK_DGRAM, 0);
    *address = at_port(0);
    if (fd < 0 || bind(fd, &address->name.any, address->size) != 0)
        abort();
    socklen_t size = sizeof address->name;
    getsockname(fd, &address->name.any, &size);
    return fd;
}

static void command(stage *on, sl_command_kind kind, sl_peer *peer, const sl_address *address)
{
    sl_command *command = sl_command_new(kind, peer, on->stream);
    if (address)
        command->address = *address;
    sl_plane_command(on->plane, command);
}

static sl_track_spec track(uint8_t kind, sl_codec codec, uint8_t type, uint32_t clock_rate)
{
    sl_track_spec spec = {
        .kind = kind, .codec = codec, .payload_type = type, .clock_rate = clock_rate
    };
    memset(spec.extensions, SL_NOT_PASSED, sizeof spec.extensions);
    for (uint8_t id = 1; id < 12; id++)
        spec.extensions[id] = id + 2;
    return spec;
}

static void publish(stage *on)
{
    sl_track_spec specs[] = {
        track(SL_AUDIO, SL_CODEC_OTHER, AUDIO_TYPE, 48000),
        track(SL_VIDEO, on->codec, VIDEO_TYPE, 90000),
    };
    specs[1].has_rtx = true;
    specs[1].rtx_payload_type = RTX_TYPE;
    sl_stream_set_publisher(on->stream, PUBLISHER, specs, 2, on->now);
    command(on, SL_PUBLISH, on->publisher, NULL);
}

static void watch(stage *on)
{
    sl_viewer viewer = {
        .id = VIEWER, .address = on->viewer_at, .srtp = on->viewer->srtp, .track_count = 2
    };
    viewer.tracks[0] = (sl_viewer_track){.kind = SL_AUDIO, .payload_type = AUDIO_TYPE, .ssrc = 10};
    viewer.tracks[1] = (sl_viewer_track){
        .kind = SL_VIDEO,
        .payload_type = VIDEO_TYPE,
        .ssrc = 11,
        .has_rtx = true,
        .rtx_payload_type = RTX_TYPE,
        .rtx_ssrc = 12,
    };
    for (int number = 0; number < SL_EXTENSION_NUMBERS; number++)
        viewer.tracks[1].extension_ids[number] = (uint8_t)(number + 1);
    sl_command *add = sl_command_new(SL_ADD_VIEWER, on->viewer, on->stream);
    add->viewer = malloc(sizeof *add->viewer);
    *add->viewer = viewer;
    sl_srtp_retain(viewer.srtp);
    sl_plane_command(on->plane, add);
}

static sl_peer *peer(stage *on, uint64_t number, const uint8_t keys[2][64], const sl_address *at)
{
    sl_srtp *srtp = sl_srtp_new(SL_AEAD_AES_128_GCM, keys[0], keys[1]);
    sl_peer *peer = sl_peer_new(number, number == PUBLISHER, srtp);
    sl_srtp_release(srtp);
    command(on, SL_ADD_PEER, peer, NULL);
    command(on, SL_BIND, peer, at);
    return peer;
}

static void open_stage(stage *on, uint8_t seed)
{
    static const uint8_t keys[4][2][64] = {
        {{1}, {2}}, {{3}, {4}}, {{2}, {1}}, {{4}, {3}} /* the peers' own side */
    };
    sl_plane_settings settings = {
        .fanout = {.cache_max_packets = 64, .cache_max_bytes = 65536, .cache_s = 1.5,
                   .max_viewers = 8},
        .resends_per_s = 256,
        .max_publisher_bitrate_bps = 20e6,
    };
    on->plane = sl_plane_new(sock, &settings);
    on->stream = sl_stream_new(1, &settings.fanout, settings.max_publisher_bitrate_bps);
    on->codec = (sl_codec)(seed % (SL_CODEC_AV1 + 1));
    on->now = 1000.0;
    on->publisher_at = at_port(9);
    on->stranger_at = at_port(11);
    command(on, SL_ADD_STREAM, NULL, NULL);
    on->publisher = peer(on, PUBLISHER, keys[0], &on->publisher_at);
    on->viewer = peer(on, VIEWER, keys[1], &on->viewer_at);
    on->publisher_end = sl_srtp_new(SL_AEAD_AES_128_GCM, keys[2][0], keys[2][1]);
    on->viewer_end = sl_srtp_new(SL_AEAD_AES_128_GCM, keys[3][0], keys[3][1]);
    publish(on);
    watch(on);
    sl_plane_do_all(on->plane, on->now);
}

static void close_stage(stage *on)
{
    command(on, SL_CLOSE_STREAM, NULL, NULL);
    sl_plane_do_all(on->plane, on->now);
    sl_plane_stop(on->plane);
    sl_plane_free(on->plane);
    sl_stream_release(on->stream);
    sl_peer_release(on->publisher);
    sl_peer_release(on->viewer);
    sl_srtp_release(on->publisher_end);
    sl_srtp_release(on->viewer_end);
}

/* ---- steps: each takes a datagram in a buffer with room for what protects it ---- */

static void receive(stage *on, uint8_t *bytes, size_t size, const sl_address *from)
{
    uint8_t *exact = malloc(size ? size : 1); /* so that a byte too far is seen */
    memcpy(exact, bytes, size);
    sl_plane_receive(on->plane, exact, size, from, on->now);
    free(exact);
}

static void stranger(stage *on, uint8_t *bytes, size_t size)
{
    receive(on, bytes, size, &on->stranger_at);
}

static void from_publisher(stage *on, uint8_t *bytes, size_t size)
{
    receive(on, bytes, size, &on->publisher_at);
}

static void from_viewer(stage *on, uint8_t *bytes, size_t size)
{
    receive(on, bytes, size, &on->viewer_at);
}

/* RTP of the publisher. Without extension and CSRCs the sequence number goes on by itself in most
 * steps, so that streams come about. */
static void rtp(stage *on, uint8_t *bytes, size_t size)
{
    if (size < 13)
        return;
    bytes[0] = (bytes[0] & 0x3F) | 0x80;
    size_t header_size = 12u + 4u * (bytes[0] & 0x0F);
    if ((bytes[0] & 0x10) && size >= header_size + 4)
        header_size += 4u + 4u * ((bytes[header_size + 2] << 8) | bytes[header_size + 3]);
    if (header_size > size)
        return;
    if (bytes[2] < 0xE0) {
        on->index++;
        bytes[2] = (uint8_t)(on->index >> 8);
        bytes[3] = (uint8_t)on->index;
    }
    uint64_t index = (uint64_t)(bytes[2] << 8 | bytes[3]) | (on->index & ~0xFFFFull);
    int done = sl_srtp_protect_rtp(
        on->publisher_end, bytes, header_size, bytes + header_size, size - header_size, index
    );
    if (done > 0)
        from_publisher(on, bytes, (size_t)done);
}

static void rtcp_of(stage *on, sl_srtp *keys, const sl_address *from, uint8_t *bytes, size_t size)
{
    if (size < 8)
        return;
    bytes[0] = (bytes[0] & 0x3F) | 0x80;
    bytes[1] = 192 + (bytes[1] & 0x1F);
    int done = sl_srtp_protect_rtcp(keys, bytes, size, size + SL_SRTP_MAX_RTCP_TRAILER);
    if (done > 0)
        receive(on, bytes, (size_t)done, from);
}

static void publisher_rtcp(stage *on, uint8_t *bytes, size_t size)
{
    rtcp_of(on, on->publisher_end, &on->publisher_at, bytes, size);
}

static void viewer_rtcp(stage *on, uint8_t *bytes, size_t size)
{
    rtcp_of(on, on->viewer_end, &on->viewer_at, bytes, size);
}

static void time_passes(stage *on, uint8_t *bytes, size_t size)
{
    on->now += size ? bytes[0] / 50.0 : 0.01;
}

static void publisher_returns(stage *on, uint8_t *bytes, size_t size)
{
    if (size)
        on->codec = (sl_codec)(bytes[0] % (SL_CODEC_AV1 + 1));
    publish(on);
}

static void viewer_pauses(stage *on, uint8_t *bytes, size_t size)
{
    sl_command_kind kind = size && bytes[0] & 1 ? SL_PAUSE : SL_RESUME;
    sl_command *pause = sl_command_new(kind, NULL, on->stream);
    pause->number = VIEWER;
    sl_plane_command(on->plane, pause);
}

static void events_are_read(stage *on, uint8_t *bytes, size_t size)
{
    (void)bytes;
    size_t taken, at = 0;
    sl_record record;
    const uint8_t *of;
    sl_queue *queue = size & 1 ? sl_plane_control(on->plane) : sl_plane_feedback(on->plane);
    const uint8_t *records = sl_queue_take(queue, &taken);
    while (sl_queue_next(records, taken, &at, &record, &of))
        if (record.size > MAX_DATAGRAM)
            abort();
}

int LLVMFuzzerInitialize(int *argc, char ***argv)
{
    (void)argc, (void)argv;
    sl_address ignored;
    sock = bound_socket(&ignored);
    return 0;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static void (*const steps[])(stage *, uint8_t *, size_t) = {
        stranger, from_publisher, from_viewer, rtp, rtp, rtp, publisher_rtcp, viewer_rtcp,
        time_passes, publisher_returns, viewer_pauses, events_are_read,
    };
    static uint8_t buffer[MAX_DATAGRAM + SL_SRTP_MAX_RTCP_TRAILER];
    stage on = {0};
    if (size == 0)
        return 0;
    if (sink < 0)
        sink = bound_socket(&on.viewer_at);
    socklen_t name_size = sizeof on.viewer_at.name;
    getsockname(sink, &on.viewer_at.name.any, &name_size);
    on.viewer_at.size = name_size;
    open_stage(&on, data[0]);
    data++, size--;
    for (int step = 0; step < MAX_STEPS && size >= STEP_HEADER; step++) {
        size_t length = (size_t)(data[1] << 8 | data[2]);
        uint8_t kind = data[0] % (sizeof steps / sizeof *steps);
        data += STEP_HEADER, size -= STEP_HEADER;
        if (length > size)
            length = size;
        memcpy(buffer, data, length);
        steps[kind](&on, buffer, length);
        sl_plane_do_all(on.plane, on.now);
        data += length, size -= length;
    }
    close_stage(&on);
    return 0;
}
