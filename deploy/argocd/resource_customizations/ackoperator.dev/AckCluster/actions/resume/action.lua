obj.metadata.annotations = obj.metadata.annotations or {}
obj.metadata.annotations["ackoperator.dev/paused"] = nil
return obj
