"""``wsolkit label``: from labelled photographs to boxes to check, in one go that can be stopped and taken up again."""
