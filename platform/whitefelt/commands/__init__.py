"""The commands of `whitefelt`, one file per family. Top layer, beside app and supervisor."""
