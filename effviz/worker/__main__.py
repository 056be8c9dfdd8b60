"""``python -m effviz.worker`` runs the torch process, see `effviz.worker.server`."""

from effviz.worker.server import main

if __name__ == "__main__":
    main()
