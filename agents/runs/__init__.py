"""Run folders: what was asked, what it became, and where an interrupted run goes on."""
