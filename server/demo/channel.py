"""The demo channel: FFmpeg makes a picture with a clock and a tone, and publishes them by WHIP."""

import asyncio
import logging
import signal
from pathlib import Path

import imageio_ffmpeg

from server.embedded.account import Account
from server.embedded.child import Child, ChildSpec

log = logging.getLogger(__name__)

RESTART_DELAY_S = 2.0

PICTURE = (
    "gradients=size=160x90:rate=30:speed=0.03:nb_colors=4:type=spiral"
    ":c0=0x1b1040:c1=0x7a2ff7:c2=0xf72f8d:c3=0xffb14a,scale=640:360:flags=bicubic[back];"
    # The test source draws a running clock in its corner; that corner is cut out and enlarged.
    "testsrc2=size=1280x40:rate=30,crop=98:18:2:3,format=gray"
    ",eq=contrast=2.2:brightness=0.12,scale=392:72:flags=neighbor[clock];"
    "[back][clock]overlay=(W-w)/2:(H-h)/2,format=yuv420p"
)
TONE = "sine=frequency=330:beep_factor=2:sample_rate=48000,volume=0.15"


def command(whip_url: str, stream_key: str) -> tuple[str, ...]:
    """FFmpeg publishing H264 and Opus in real time; a keyframe a second, so viewers start fast."""
    return (
        imageio_ffmpeg.get_ffmpeg_exe(),
        *("-hide_banner", "-nostdin", "-loglevel", "warning"),
        *("-re", "-f", "lavfi", "-i", PICTURE, "-re", "-f", "lavfi", "-i", TONE),
        *("-c:v", "libx264", "-preset", "ultrafast", "-tune", "zerolatency"),
        *("-profile:v", "baseline", "-bf", "0", "-g", "30", "-b:v", "800k", "-threads", "1"),
        *("-c:a", "libopus", "-ac", "2", "-b:a", "64k"),
        *("-f", "whip", "-authorization", stream_key, whip_url),
    )


async def keep_publishing(whip_url: str, stream_key: str, log_file: Path) -> None:
    """Publish until cancelled; FFmpeg is started again when it ends."""
    spec = ChildSpec(
        name="FFmpeg",
        command=command(whip_url, stream_key),
        account=Account(uid=None, gid=None),
        log=log_file,
        stop_signal=signal.SIGTERM,
        stop_patience_s=3.0,
    )
    while True:
        await asyncio.to_thread(
            log_file.unlink, missing_ok=True
        )  # the log holds one run: it can't grow for ever
        publisher = Child(spec)
        try:
            status = await publisher.wait()
            log.warning("the demo channel's FFmpeg ended", extra={"status": status})
        finally:
            await publisher.stop()
        await asyncio.sleep(RESTART_DELAY_S)
