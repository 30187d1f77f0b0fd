r"""The Transfer: a Task that its Worker hands on, to another Worker or to a TaskQueue.

initiated -> complete
   \_ failed, canceled
"""

from dataclasses import dataclass
from typing import Final

from routing.clock import Instant

#: Who hands the Task on stays with it until somebody has taken it, and longer if they like.
WARM: Final = "WARM"
#: Who hands it on begins after-work at once.
COLD: Final = "COLD"
MODES: Final = (WARM, COLD)

TO_WORKER: Final = "WORKER"
TO_QUEUE: Final = "QUEUE"

INITIATED: Final = "initiated"
#: In TaskRouter's own words it is "complete", where everything else is "completed".
COMPLETE: Final = "complete"
FAILED: Final = "failed"
CANCELED: Final = "canceled"
STATUSES: Final = (INITIATED, COMPLETE, FAILED, CANCELED)


@dataclass(frozen=True, slots=True, kw_only=True)
class Transfer:
    sid: str
    workspace_sid: str
    task_sid: str
    #: Who hands it on: the Reservation, its Worker, and where the Task stood then.
    initiating_reservation_sid: str
    initiating_worker_sid: str
    initiating_queue_sid: str
    initiating_workflow_sid: str | None
    transfer_mode: str
    transfer_type: str
    #: The SID of the Worker or the TaskQueue.
    transfer_to: str
    transfer_status: str
    #: For people; None unless it has failed.
    transfer_failed_reason: str | None
    created_at: Instant
    updated_at: Instant

    @property
    def is_live(self) -> bool:
        return self.transfer_status == INITIATED
