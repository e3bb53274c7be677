"""The relay (SFU): one publisher's packets to many viewers, decided by sans-IO cores."""
