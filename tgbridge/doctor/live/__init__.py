"""``tgbridge doctor --live``: what tgbridge believes of Telegram, beside what a real one answers.

It signs in, makes files and messages of its own in Saved Messages, asks about them, removes them and signs
out. It touches nothing that it did not make, also when it is interrupted.
"""
