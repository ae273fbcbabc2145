"""What trains the queue: an executor starts what is queued and ends a run. The pool of this computer is one."""
