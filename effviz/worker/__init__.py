"""The torch process, and everything that communicates with it.

============================  ========================================================
`effviz.worker.manager`       the job queue, limits and restarts: the public interface
`effviz.worker.ticket`        a submitted job
`effviz.worker.desk`          jobs shared by the visitors of the app
`effviz.worker.jobs`          the kinds of job
`effviz.worker.limits`        cores and memory
`effviz.worker.protocol`      the messages
`effviz.worker.process`       the child process, seen from the manager
`effviz.worker.server`        the code of the child process, which imports torch
`effviz.worker.machine_lock`  one job at a time on a machine with several servers
============================  ========================================================
"""
