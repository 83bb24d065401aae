-- The words that people say most often to the operator, as buttons. Each writes one annotation.
local paused = (obj.metadata.annotations or {})["ackoperator.dev/paused"] == "true"
return {
  pause = { displayName = "Pause", iconClass = "fa fa-fw fa-pause", disabled = paused },
  resume = { displayName = "Resume", iconClass = "fa fa-fw fa-play", disabled = not paused },
  reconcile = { displayName = "Look now", iconClass = "fa fa-fw fa-sync", disabled = paused },
}
