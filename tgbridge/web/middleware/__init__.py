"""What every request passes through, one file each; app.py has their order."""
