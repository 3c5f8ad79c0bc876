"""Recording a venue while it trades: connection -> raw frames -> messages -> checked books -> events, all on disk."""
