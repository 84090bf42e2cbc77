{{/*
Fails when the platform would not start, would lose calls or sessions, or would not be reached, and says what to do. All
problems come at once.
*/}}
{{- define "rookery.validate" -}}
{{- $root := . -}}
{{- $problems := list -}}
{{- $config := include "rookery.configured" . | fromYaml -}}
{{- $redis := .Values.redis -}}
{{- $mode := get $config "AUTH_MODE" -}}
{{- $issuers := or (include "rookery.has" (list . "AUTH_ISSUERS")) (include "rookery.has" (list . "AUTH_ISSUERS_FILE")) -}}
{{- $hosts := (include "rookery.publicHosts" . | fromYaml).hosts -}}

{{- /* What belongs elsewhere */ -}}
{{- range $name := list "AUTH_SHARED_SECRET" "AUTH_INTROSPECTION_CLIENT_SECRET" "AUDIT_DIGEST_KEY" "MCP_REQUEST_STATE_KEYS" "REDIS_PASSWORD" "REDIS_SENTINEL_PASSWORD" "OTEL_EXPORTER_OTLP_HEADERS" -}}
{{- if hasKey $config $name -}}
{{- $problems = append $problems (printf "config.%s would stand in a ConfigMap, but it is a secret. Put it into a Secret and say secrets.env.%s." $name $name) -}}
{{- end -}}
{{- end -}}
{{- if hasKey $config "REDIS_URL" -}}
{{- $problems = append $problems "config.REDIS_URL: say it as redis.url, or with a password in it as redis.existingSecret." -}}
{{- end -}}
{{- if regexMatch "^[a-z+]+://[^/@]*:[^/@]*@" $redis.url -}}
{{- $problems = append $problems "redis.url has a password, and would stand in a ConfigMap. Say redis.existingSecret, or secrets.env.REDIS_PASSWORD." -}}
{{- end -}}
{{- range $group, $refs := .Values.secrets -}}
{{- range $name, $ref := $refs -}}
{{- if hasKey $config $name -}}
{{- $problems = append $problems (printf "%s is set by config and by secrets.%s. Leave out the one or the other." $name $group) -}}
{{- end -}}
{{- if not (include "rookery.secretKey" (list $root $ref) | fromYaml).name -}}
{{- $problems = append $problems (printf "secrets.%s.%s names no Secret. Set existingSecret, or give it name and key." $group $name) -}}
{{- end -}}
{{- end -}}
{{- end -}}
{{- if .Values.externalSecrets.enabled -}}
{{- if not .Values.externalSecrets.secretStoreRef.name -}}
{{- $problems = append $problems "externalSecrets.secretStoreRef.name is missing: the store that secrets come from." -}}
{{- end -}}
{{- if not .Values.externalSecrets.secrets -}}
{{- $problems = append $problems "externalSecrets.enabled is true, but externalSecrets.secrets has none." -}}
{{- end -}}
{{- end -}}
{{- if eq (.Values.image.tag | toString) "latest" -}}
{{- $problems = append $problems "image.tag is latest, which is another image every time. Name a version, or image.digest." -}}
{{- end -}}

{{- /* Names and addresses */ -}}
{{- $fullname := include "rookery.fullname" . -}}
{{- if not (regexMatch "^[a-z]([-a-z0-9]*[a-z0-9])?$" $fullname) -}}
{{- $problems = append $problems (printf "The objects would be called %s, which no Service may be: a name begins with a letter and holds small letters, digits and hyphens. Set fullnameOverride." $fullname) -}}
{{- end -}}
{{- if eq (include "rookery.port" .) (include "rookery.managementPort" .) -}}
{{- $problems = append $problems "config.PORT and config.MANAGEMENT_PORT are the same: health and metrics must not be where callers are." -}}
{{- end -}}
{{- if regexMatch "^/(health|metrics)(/|$)" (include "rookery.path" .) -}}
{{- $problems = append $problems (printf "config.MCP_PATH is %s, but /health and /metrics are served there. Choose another path." (include "rookery.path" .)) -}}
{{- end -}}
{{- range $name := list "HOST" "MANAGEMENT_HOST" -}}
{{- if regexMatch "^(localhost|127\\..*|::1|\\[::1\\])$" (get $config $name) -}}
{{- $problems = append $problems (printf "config.%s is loopback: nothing outside of the pod would reach it. Leave it out." $name) -}}
{{- end -}}
{{- end -}}
{{- if and .Values.ingress.enabled (not .Values.ingress.controller) -}}
{{- $problems = append $problems "ingress.controller is missing: without annotations of its own kind, a controller may buffer or cut streams. Say nginx (ingress-nginx), f5-nginx, alb, traefik, or none." -}}
{{- end -}}
{{- if and .Values.ingress.enabled (not .Values.ingress.hosts) -}}
{{- $problems = append $problems "ingress.hosts is empty. Name the host that callers use." -}}
{{- end -}}
{{- if .Values.httpRoute.enabled -}}
{{- if not .Values.httpRoute.parentRefs -}}
{{- $problems = append $problems "httpRoute.parentRefs is empty. Name the Gateway." -}}
{{- end -}}
{{- if not .Values.httpRoute.hostnames -}}
{{- $problems = append $problems "httpRoute.hostnames is empty. Name the host that callers use." -}}
{{- end -}}
{{- end -}}
{{- if and (ne .Values.service.type "ClusterIP") (not $hosts) (not (include "rookery.has" (list . "MCP_ALLOWED_HOSTS"))) -}}
{{- $problems = append $problems (printf "service.type is %s: the chart cannot know the name that callers use. Set config.MCP_ALLOWED_HOSTS to it; other names are refused." .Values.service.type) -}}
{{- end -}}
{{- $allowed := splitList "," (nospace (include "rookery.allowedHosts" .)) -}}
{{- range $host := $hosts -}}
{{- if not (or (has "*" $allowed) (has $host $allowed)) -}}
{{- $problems = append $problems (printf "config.MCP_ALLOWED_HOSTS does not hold %s of ingress or httpRoute: requests for it would be refused. Add it, or leave out config.MCP_ALLOWED_HOSTS." $host) -}}
{{- end -}}
{{- end -}}

{{- /* Authentication */ -}}
{{- if and (eq $mode "none") $issuers -}}
{{- $problems = append $problems "config.AUTH_MODE is none, but there are issuers. Leave out the one or the other." -}}
{{- else if and (eq $mode "none") (include "rookery.has" (list . "AUTH_RESOURCE")) -}}
{{- $problems = append $problems "config.AUTH_MODE is none, but AUTH_RESOURCE can only mean that tokens are asked for. Leave out the one or the other." -}}
{{- else if and (eq $mode "oauth") (not $issuers) (not .Values.extraEnvFrom) -}}
{{- $problems = append $problems "config.AUTH_MODE is oauth, but no issuer is configured. Set config.AUTH_ISSUERS or secrets.files.AUTH_ISSUERS_FILE." -}}
{{- else if and (not $mode) (not $issuers) (not (include "rookery.has" (list . "AUTH_MODE"))) -}}
{{- $problems = append $problems "Nobody has decided who may call. Set config.AUTH_ISSUERS (or secrets.files.AUTH_ISSUERS_FILE), or say config.AUTH_MODE=none if everyone who reaches the server may use it." -}}
{{- end -}}
{{- if and (hasKey $config "AUTH_ISSUERS") (include "rookery.has" (list . "AUTH_ISSUERS_FILE")) -}}
{{- $problems = append $problems "AUTH_ISSUERS would be ignored beside AUTH_ISSUERS_FILE. Say it in the file." -}}
{{- end -}}
{{- if and $issuers (ne $mode "none") -}}
{{- $resource := include "rookery.authResource" . -}}
{{- if and (not $resource) (not (include "rookery.has" (list . "AUTH_RESOURCE"))) (not .Values.extraEnvFrom) -}}
{{- $problems = append $problems "AUTH_RESOURCE is missing: the URL by which clients reach the MCP endpoint; tokens are issued for it. Set config.AUTH_RESOURCE, or enable ingress or httpRoute with a host." -}}
{{- else if and $resource $hosts -}}
{{- $url := urlParse $resource -}}
{{- if not (has (regexReplaceAll ":[0-9]+$" $url.host "") $hosts) -}}
{{- $problems = append $problems (printf "config.AUTH_RESOURCE is %s, but ingress and httpRoute have %s: clients would get tokens for another server. Make them agree, or leave out config.AUTH_RESOURCE." $resource (join ", " $hosts)) -}}
{{- end -}}
{{- if and (ne $url.path (include "rookery.path" .)) (not .Values.ingress.paths) (not .Values.httpRoute.filters) -}}
{{- $problems = append $problems (printf "config.AUTH_RESOURCE has the path %s, MCP_PATH is %s. Make them agree, or say ingress.paths or httpRoute.filters where a proxy rewrites it." ($url.path | default "/") (include "rookery.path" .)) -}}
{{- end -}}
{{- end -}}
{{- end -}}

{{- /* Redis and replicas */ -}}
{{- $sources := list -}}
{{- if $redis.url -}}{{- $sources = append $sources "redis.url" -}}{{- end -}}
{{- if $redis.existingSecret.name -}}{{- $sources = append $sources "redis.existingSecret" -}}{{- end -}}
{{- if $redis.bundled.enabled -}}{{- $sources = append $sources "redis.bundled" -}}{{- end -}}
{{- if hasKey .Values.secrets.env "REDIS_URL" -}}{{- $sources = append $sources "secrets.env.REDIS_URL" -}}{{- end -}}
{{- if gt (len $sources) 1 -}}
{{- $problems = append $problems (printf "%s each name a Redis. Leave one; the bundled one is for trying out." (join " and " $sources)) -}}
{{- end -}}
{{- if and $redis.bundled.enabled (hasKey .Values.secrets.env "REDIS_PASSWORD") -}}
{{- $problems = append $problems "secrets.env.REDIS_PASSWORD: the password of the bundled Redis is redis.bundled.existingSecret." -}}
{{- end -}}
{{- if not (include "rookery.hasRedis" .) -}}
{{- if include "rookery.isScaled" . -}}
{{- $problems = append $problems "autoscaling and keda need Redis, or replicas would not know each other's sessions. Set redis.url or redis.existingSecret." -}}
{{- else if gt (include "rookery.text" .Values.replicaCount | int) 1 -}}
{{- $problems = append $problems "replicaCount is more than 1, which needs Redis, or replicas would not know each other's sessions. Set redis.url, redis.existingSecret, or for trying out redis.bundled.enabled." -}}
{{- end -}}
{{- if has "redis" (splitList "," (nospace (get $config "AUDIT_TO"))) -}}
{{- $problems = append $problems "config.AUDIT_TO has redis, but there is none. Set redis.url or redis.existingSecret." -}}
{{- end -}}
{{- end -}}
{{- if and .Values.autoscaling.enabled .Values.keda.enabled -}}
{{- $problems = append $problems "autoscaling and keda are both on, and would fight for the number of replicas. Leave one." -}}
{{- end -}}
{{- with .Values.autoscaling -}}
{{- if and .enabled (not (or .targetCPUUtilizationPercentage .targetMemoryUtilizationPercentage .streams.enabled .eventLoop.enabled .latency.enabled .extraMetrics)) -}}
{{- $problems = append $problems "autoscaling is enabled, but goes by nothing. Set a target of CPU or memory, or enable streams, eventLoop or latency." -}}
{{- end -}}
{{- end -}}
{{- with .Values.keda -}}
{{- if and .enabled (not (or .cpuUtilization .memoryUtilization .streams .eventLoop .latency .extraTriggers)) -}}
{{- $problems = append $problems "keda is enabled, but has no trigger. Set cpuUtilization, memoryUtilization, streams, eventLoop, latency or extraTriggers." -}}
{{- end -}}
{{- end -}}
{{- range $name := list "autoscaling" "keda" -}}
{{- $scaler := get $root.Values $name -}}
{{- if and $scaler.enabled (gt (include "rookery.text" $scaler.minReplicas | int) (include "rookery.text" $scaler.maxReplicas | int)) -}}
{{- $problems = append $problems (printf "%s.minReplicas is more than maxReplicas." $name) -}}
{{- end -}}
{{- end -}}
{{- if and .Values.keda.enabled (not .Values.keda.prometheusAddress) (or .Values.keda.streams .Values.keda.eventLoop .Values.keda.latency) -}}
{{- $problems = append $problems "keda.prometheusAddress is missing: the URL of Prometheus, as http://prometheus.monitoring:9090." -}}
{{- end -}}
{{- with .Values.podDisruptionBudget -}}
{{- if .enabled -}}
{{- $fewest := include "rookery.fewestReplicas" $root | int -}}
{{- if and (not (kindIs "invalid" .minAvailable)) (regexMatch "^[0-9]+$" (include "rookery.text" .minAvailable)) (ge (include "rookery.text" .minAvailable | int) $fewest) -}}
{{- $problems = append $problems (printf "podDisruptionBudget.minAvailable is %s of %d replicas: no node could ever be drained. Have fewer, or say maxUnavailable." (include "rookery.text" .minAvailable) $fewest) -}}
{{- end -}}
{{- end -}}
{{- end -}}

{{- /* Stopping */ -}}
{{- $grace := include "rookery.variable" (list . "MCP_DRAIN_GRACE_MS" "25000") | int64 -}}
{{- $call := include "rookery.variable" (list . "MCP_CALL_TIMEOUT_MS" "60000") | int64 -}}
{{- $longest := max $call (include "rookery.text" .Values.longestToolTimeoutMs | int64) -}}
{{- if lt $grace $longest -}}
{{- $problems = append $problems (printf "config.MCP_DRAIN_GRACE_MS is %d, but calls may take %d ms (config.MCP_CALL_TIMEOUT_MS or longestToolTimeoutMs): every rollout would stop some. Set it to %d or more." $grace $longest $longest) -}}
{{- end -}}
{{- if gt (include "rookery.variable" (list . "MCP_DRAIN_DELAY_MS" "0") | int64) $grace -}}
{{- $problems = append $problems "config.MCP_DRAIN_DELAY_MS is more than MCP_DRAIN_GRACE_MS, which it is a part of." -}}
{{- end -}}
{{- $needed := add (include "rookery.drainSeconds" . | int64) 5 -}}
{{- if lt (include "rookery.gracePeriod" . | int64) $needed -}}
{{- $problems = append $problems (printf "terminationGracePeriodSeconds is %s, but preStop.seconds, MCP_DRAIN_GRACE_MS and 5 s of margin take %d: calls would be killed. Set it to %d or more, or leave it out." (include "rookery.gracePeriod" .) $needed $needed) -}}
{{- end -}}

{{- /* Watching */ -}}
{{- with .Values.metrics -}}
{{- if and .serviceMonitor.enabled .podMonitor.enabled -}}
{{- $problems = append $problems "metrics.serviceMonitor and metrics.podMonitor are both on, and would count everything twice. Leave one." -}}
{{- end -}}
{{- if and (or .serviceMonitor.enabled .podMonitor.enabled) (eq (get $config "METRICS_ENABLED") "false") -}}
{{- $problems = append $problems "config.METRICS_ENABLED is false, so there is nothing to scrape for metrics.serviceMonitor and metrics.podMonitor." -}}
{{- end -}}
{{- if and .serviceMonitor.enabled (not $root.Values.service.management.enabled) -}}
{{- $problems = append $problems "metrics.serviceMonitor needs service.management.enabled. Or use metrics.podMonitor." -}}
{{- end -}}
{{- if and (or .prometheusRule.enabled (include "rookery.watchesReplicas" $root)) (not .prometheusRule.runbookUrl) -}}
{{- $problems = append $problems "metrics.prometheusRule.runbookUrl is missing: the URL of docs/runbook.md, as your people read it. Alerts link to its sections." -}}
{{- end -}}
{{- with concat .prometheusRule.disabledAlerts (keys .prometheusRule.alertSeverities | sortAlpha) -}}
{{- $known := (include "rookery.alertNames" $root | fromYaml).names -}}
{{- range $name := . -}}
{{- if not (has $name $known) -}}
{{- $problems = append $problems (printf "metrics.prometheusRule.disabledAlerts or alertSeverities has %s, which is no alert of files/rules.yaml. Correct it or take it out." $name) -}}
{{- end -}}
{{- end -}}
{{- end -}}
{{- end -}}
{{- if $problems -}}
{{- fail (printf "\nThe values are not usable:\n  - %s\n" (join "\n  - " $problems)) -}}
{{- end -}}
{{- end }}
