-- Any new value makes the operator look again; the resourceVersion is new after every write, this one included.
obj.metadata.annotations = obj.metadata.annotations or {}
obj.metadata.annotations["ackoperator.dev/reconcile-at"] = obj.metadata.resourceVersion
return obj
