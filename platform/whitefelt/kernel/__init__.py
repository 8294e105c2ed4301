"""The kernel: database, money, time, errors, outbox, jobs and web plumbing. It holds no word of the trade and imports nobody."""
