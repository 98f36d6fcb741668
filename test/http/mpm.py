"""mpm.py: how many children a server has, in the words of the process model under test (UA_MPM)."""
import os

THREADED = os.environ.get("UA_MPM") != "prefork"
# One child; of prefork it serves one request at a time, so nobody may keep it for the next one.
ONE_CHILD = (
    "StartServers 1\nServerLimit 1\nMaxRequestWorkers 25\nMinSpareThreads 1\nMaxSpareThreads 26\n"
    if THREADED
    else "StartServers 1\nServerLimit 1\nMaxRequestWorkers 1\nMinSpareServers 1\nMaxSpareServers 2\nKeepAlive off\n"
)
# Few children that are soon replaced.
TWO_CHILDREN = "StartServers 2\n" if THREADED else "StartServers 2\nMinSpareServers 1\nMaxSpareServers 2\n"


def several(children, threads):
    """Lines for so many children; of prefork as many as there would be threads, up to 64."""
    at_once = children * threads
    if THREADED:
        return f"StartServers {children}\nThreadsPerChild {threads}\nMaxRequestWorkers {2 * at_once}\nMinSpareThreads 1\nMaxSpareThreads {2 * at_once}\n"
    at_once = min(at_once, 64)
    return f"StartServers {at_once}\nServerLimit {at_once}\nMaxRequestWorkers {at_once}\n"
