"""What can go wrong with weights. Each message says what to do next.

WeightsError
|-- AddressFailed   this address did not give the file; another one may
|-- WrongFile       this is not the file that it should be
|-- NoRoom          the disk is full
`-- NotAccepted     the licence was not accepted
"""


class WeightsError(Exception):
    """The base of them."""


class AddressFailed(WeightsError):
    """An address did not give the file: out of reach, refused, or a web page instead."""


class WrongFile(WeightsError):
    """A file has another digest or another structure than it should have."""


class NoRoom(WeightsError):
    """The disk is full."""


class NotAccepted(WeightsError):
    """The licence of a set was not accepted."""
