"""The native module (media/native/*.c), which is there where it could be built."""
