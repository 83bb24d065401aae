obj.metadata.annotations = obj.metadata.annotations or {}
obj.metadata.annotations["ackoperator.dev/paused"] = "true"
return obj
