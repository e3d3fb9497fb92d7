"""What every transport of the port `ERP` must do, as cases; `test_erp_contract.py` runs them on each transport."""

from __future__ import annotations

from tests.connectors.erp_credits_contract import CreditsOrders
from tests.connectors.erp_documents_contract import PostsAndFinds, Reads
from tests.connectors.erp_money_out_contract import MovesMoneyOut
from tests.connectors.erp_once_contract import NeverPostsTwice
from tests.connectors.erp_records_contract import KeepsCustomers, PollsForChanges, ReadsTheBooks
from tests.connectors.erp_refusals_contract import SaysWhatIsWrong
from tests.connectors.erp_session_contract import KeepsItsSession


class ErpContract(
    PostsAndFinds,
    Reads,
    KeepsItsSession,
    NeverPostsTwice,
    SaysWhatIsWrong,
    MovesMoneyOut,
    CreditsOrders,
    KeepsCustomers,
    ReadsTheBooks,
    PollsForChanges,
):
    """The whole contract."""
