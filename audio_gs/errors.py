"""What can go wrong, as exceptions: everything the package raises on purpose is an `AudioGsError`."""


class AudioGsError(Exception):
    """Base of the package's errors. Its text is one line that says what is wrong and, where there is one, the
    mend."""


class BitstreamError(AudioGsError, ValueError):
    """The stream is not a whole, undamaged Audio-GS stream."""


class UnsupportedError(BitstreamError):
    """The stream may be sound, but asks for a format version or a feature that this decoder does not know."""


class TooLongError(AudioGsError, ValueError):
    """A stream states a length above the limit that the caller has set, or left as it is."""


class AudioInputError(AudioGsError, ValueError):
    """The audio cannot be read or cannot be encoded."""


class OptionsError(AudioGsError, ValueError):
    """An encoder option is unknown, has an impossible value, or contradicts another."""


class EditError(AudioGsError, ValueError):
    """An edit leads to what no stream can state, such as a Gaussian outside the clip."""


class ScriptError(OptionsError):
    """A script of edits is not one: an unknown step, a missing or an impossible value."""


class OutputError(AudioGsError):
    """A file cannot be written, or one is in the way."""


class SceneError(AudioGsError, ValueError):
    """A scene's recordings are not such as one can learn from, or listen at."""


class SceneFileError(SceneError):
    """A file of a scene or of its model is damaged."""
