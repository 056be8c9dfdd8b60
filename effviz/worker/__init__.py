"""The torch process beside the server, and everything that talks to it.

========================  ============================================================================
`effviz.worker.manager`   jobs, their queue, limits, and the process's life; for those who want results
`effviz.worker.jobs`      what can be asked for
`effviz.worker.limits`    what may be used of this machine, and what a design will need
`effviz.worker.protocol`  the messages
`effviz.worker.process`   the process, seen from the manager
`effviz.worker.server`    the process itself; the only part that imports torch
========================  ============================================================================
"""
