"""Work on several threads at a time."""

import threading


def together(count, work):
    """work(number), for each number below `count` on a thread of its own. Back when all are through; raises what the
    first of them that failed raised."""
    troubles = []

    def guarded(number):
        try:
            work(number)
        except Exception as trouble:
            troubles.append(trouble)
    threads = [threading.Thread(target=guarded, args=(number,)) for number in range(count)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    if troubles:
        raise troubles[0]
