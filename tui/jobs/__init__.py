"""The screen of jobs in parts: windows that start work, schedules."""
