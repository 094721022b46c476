"""What models see in pictures: who lacks it, the process that looks, and the sidecars that say it."""
