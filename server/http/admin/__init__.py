"""What admins see and steer, under `/api/admin`."""
