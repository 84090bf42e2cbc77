{{/* Names, labels and what is derived from values. What fails rendering is in _validate.tpl. */}}

{{- define "rookery.name" -}}
{{- default .Chart.Name .Values.nameOverride | trunc 50 | trimSuffix "-" -}}
{{- end }}

{{/*
46 characters, so that what is appended stays within the 63 of a label, and names of pods hold it whole: Kubernetes cuts
what is before their last five characters to 58.
*/}}
{{- define "rookery.fullname" -}}
{{- $name := default .Chart.Name .Values.nameOverride -}}
{{- if .Values.fullnameOverride -}}
{{- .Values.fullnameOverride | trunc 46 | trimSuffix "-" -}}
{{- else if contains $name .Release.Name -}}
{{- .Release.Name | trunc 46 | trimSuffix "-" -}}
{{- else -}}
{{- printf "%s-%s" .Release.Name $name | trunc 46 | trimSuffix "-" -}}
{{- end -}}
{{- end }}

{{- define "rookery.serviceAccountName" -}}
{{- if .Values.serviceAccount.create -}}
{{- default (include "rookery.fullname" .) .Values.serviceAccount.name -}}
{{- else -}}
{{- default "default" .Values.serviceAccount.name -}}
{{- end -}}
{{- end }}

{{/* Labels that select pods. @param list of root and component */}}
{{- define "rookery.selectorLabels" -}}
{{- $root := index . 0 -}}
app.kubernetes.io/name: {{ include "rookery.name" $root }}
app.kubernetes.io/instance: {{ $root.Release.Name }}
app.kubernetes.io/component: {{ index . 1 }}
{{- end }}

{{/*
Name, namespace, labels and annotations of an object.
@param dict: root; name, namespace, component (server), labels, annotations if they are special
*/}}
{{- define "rookery.metadata" -}}
{{- $root := .root -}}
{{- $labels := include "rookery.selectorLabels" (list $root (.component | default "server")) | fromYaml -}}
{{- $_ := set $labels "app.kubernetes.io/part-of" "rookery" -}}
{{- $_ := set $labels "app.kubernetes.io/managed-by" $root.Release.Service -}}
{{- $_ := set $labels "app.kubernetes.io/version" (toString $root.Chart.AppVersion) -}}
{{- $_ := set $labels "helm.sh/chart" (printf "%s-%s" $root.Chart.Name $root.Chart.Version | replace "+" "_") -}}
name: {{ .name | default (include "rookery.fullname" $root) }}
namespace: {{ .namespace | default $root.Release.Namespace }}
labels:
  {{- merge $labels (.labels | default dict) $root.Values.commonLabels | toYaml | nindent 2 }}
{{- with merge (dict) (.annotations | default dict) $root.Values.commonAnnotations }}
annotations:
  {{- toYaml . | nindent 2 }}
{{- end }}
{{- end }}

{{/* @param dict: an image of values, and `appVersion` where there is no tag */}}
{{- define "rookery.image" -}}
{{- $name := .image.repository -}}
{{- if .image.registry -}}{{- $name = printf "%s/%s" .image.registry .image.repository -}}{{- end -}}
{{- if .image.digest -}}
{{- printf "%s@%s" $name .image.digest -}}
{{- else -}}
{{- printf "%s:%s" $name (include "rookery.text" (.image.tag | default .appVersion)) -}}
{{- end -}}
{{- end }}

{{/* A value as it is written in an environment variable. Whole numbers come as floats, and 1048576 would be 1.048576e+06. */}}
{{- define "rookery.text" -}}
{{- if kindIs "float64" . -}}
{{- if eq (floor .) . -}}{{ int64 . }}{{- else -}}{{ toString . }}{{- end -}}
{{- else -}}
{{- toString . -}}
{{- end -}}
{{- end }}

{{/* What `config` sets, as texts; an empty one counts as not set. YAML. */}}
{{- define "rookery.configured" -}}
{{- $set := dict -}}
{{- range $name, $value := .Values.config -}}
{{- if not (kindIs "invalid" $value) -}}
{{- $text := include "rookery.text" $value -}}
{{- if $text -}}{{- $_ := set $set $name $text -}}{{- end -}}
{{- end -}}
{{- end -}}
{{- toYaml $set -}}
{{- end }}

{{/* One variable of `config`, or its default. @param list of root, name and default */}}
{{- define "rookery.variable" -}}
{{- get (include "rookery.configured" (index . 0) | fromYaml) (index . 1) | default (index . 2) -}}
{{- end }}

{{- define "rookery.port" -}}{{ include "rookery.variable" (list . "PORT" "3000") }}{{- end }}
{{- define "rookery.managementPort" -}}{{ include "rookery.variable" (list . "MANAGEMENT_PORT" "9464") }}{{- end }}
{{- define "rookery.path" -}}{{ include "rookery.variable" (list . "MCP_PATH" "/mcp") }}{{- end }}

{{/* `true` if a variable is set anywhere the chart can see. @param list of root and name */}}
{{- define "rookery.has" -}}
{{- $root := index . 0 -}}
{{- $name := index . 1 -}}
{{- $found := or (hasKey (include "rookery.configured" $root | fromYaml) $name) (hasKey $root.Values.secrets.env $name) (hasKey $root.Values.secrets.files $name) -}}
{{- range $root.Values.extraEnv -}}{{- if eq .name $name -}}{{- $found = true -}}{{- end -}}{{- end -}}
{{- if $found -}}true{{- end -}}
{{- end }}

{{- define "rookery.hasRedis" -}}
{{- if or .Values.redis.url .Values.redis.existingSecret.name .Values.redis.bundled.enabled (include "rookery.has" (list . "REDIS_URL")) -}}true{{- end -}}
{{- end }}

{{/* `true` if something else than replicaCount says how many replicas there are. */}}
{{- define "rookery.isScaled" -}}
{{- if or .Values.autoscaling.enabled .Values.keda.enabled -}}true{{- end -}}
{{- end }}

{{/* Fewest replicas there are. */}}
{{- define "rookery.fewestReplicas" -}}
{{- if .Values.autoscaling.enabled -}}{{ include "rookery.text" .Values.autoscaling.minReplicas }}
{{- else if .Values.keda.enabled -}}{{ include "rookery.text" .Values.keda.minReplicas }}
{{- else -}}{{ include "rookery.text" .Values.replicaCount }}{{- end -}}
{{- end }}

{{/* `true` if callers are asked for tokens. */}}
{{- define "rookery.asksForTokens" -}}
{{- if or (include "rookery.has" (list . "AUTH_ISSUERS")) (include "rookery.has" (list . "AUTH_ISSUERS_FILE")) (eq (include "rookery.variable" (list . "AUTH_MODE" "")) "oauth") -}}true{{- end -}}
{{- end }}

{{/* Host names by which callers come from outside: `hosts`, in YAML. */}}
{{- define "rookery.publicHosts" -}}
{{- $hosts := list -}}
{{- if .Values.ingress.enabled -}}{{- $hosts = concat $hosts .Values.ingress.hosts -}}{{- end -}}
{{- if .Values.httpRoute.enabled -}}{{- $hosts = concat $hosts .Values.httpRoute.hostnames -}}{{- end -}}
{{- dict "hosts" (uniq $hosts) | toYaml -}}
{{- end }}

{{/* AUTH_RESOURCE: what config says, or else the first host. Empty where callers are not asked for tokens. */}}
{{- define "rookery.authResource" -}}
{{- $said := include "rookery.variable" (list . "AUTH_RESOURCE" "") -}}
{{- $hosts := (include "rookery.publicHosts" . | fromYaml).hosts -}}
{{- if $said -}}
{{- $said -}}
{{- else if and (include "rookery.asksForTokens" .) $hosts (not (include "rookery.has" (list . "AUTH_RESOURCE"))) -}}
{{- printf "https://%s%s" (first $hosts) (include "rookery.path" .) -}}
{{- end -}}
{{- end }}

{{/* Where callers find MCP, or nothing where only a port-forward leads there. */}}
{{- define "rookery.publicUrl" -}}
{{- $hosts := (include "rookery.publicHosts" . | fromYaml).hosts -}}
{{- if include "rookery.authResource" . -}}
{{- include "rookery.authResource" . -}}
{{- else if $hosts -}}
{{- $tls := or .Values.httpRoute.enabled .Values.ingress.tls -}}
{{- printf "%s://%s%s" (ternary "https" "http" (not (empty $tls))) (first $hosts) (include "rookery.path" .) -}}
{{- end -}}
{{- end }}

{{/* MCP_ALLOWED_HOSTS: what config says, or else the names of Ingress, HTTPRoute and Service, and loopback for port-forwards. */}}
{{- define "rookery.allowedHosts" -}}
{{- $said := include "rookery.variable" (list . "MCP_ALLOWED_HOSTS" "") -}}
{{- if $said -}}
{{- $said -}}
{{- else -}}
{{- $service := include "rookery.fullname" . -}}
{{- $hosts := (include "rookery.publicHosts" . | fromYaml).hosts -}}
{{- with include "rookery.authResource" . -}}
{{- $hosts = append $hosts (regexReplaceAll ":[0-9]+$" (urlParse .).host "") -}}
{{- end -}}
{{- $inside := list $service (printf "%s.%s" $service .Release.Namespace) (printf "%s.%s.svc" $service .Release.Namespace) (printf "%s.%s.svc.%s" $service .Release.Namespace .Values.clusterDomain) -}}
{{- concat $hosts $inside (list "localhost" "127.0.0.1" "[::1]") | uniq | join "," -}}
{{- end -}}
{{- end }}

{{/* Name of the Service of the bundled Redis. */}}
{{- define "rookery.redisName" -}}{{ include "rookery.fullname" . }}-redis{{- end }}

{{/* Name of the Secret with the password of the bundled Redis. */}}
{{- define "rookery.redisSecret" -}}
{{- .Values.redis.bundled.existingSecret.name | default (include "rookery.redisName" .) -}}
{{- end }}

{{/*
The ConfigMap's variables, in YAML. What the chart derives comes first, so that config wins.
REDIS_KEY_PREFIX is by release: installations that share a Redis must not share sessions.
*/}}
{{- define "rookery.environment" -}}
{{- $env := dict "HOST" (ternary "::" "0.0.0.0" (has "IPv6" .Values.service.ipFamilies)) "PORT" (include "rookery.port" .) "MANAGEMENT_PORT" (include "rookery.managementPort" .) -}}
{{- if not (hasKey .Values.secrets.env "MCP_ALLOWED_HOSTS") -}}
{{- $_ := set $env "MCP_ALLOWED_HOSTS" (include "rookery.allowedHosts" .) -}}
{{- end -}}
{{- with include "rookery.authResource" . -}}{{- $_ := set $env "AUTH_RESOURCE" . -}}{{- end -}}
{{- if include "rookery.hasRedis" . -}}
{{- $_ := set $env "REDIS_KEY_PREFIX" (printf "rookery:%s:%s:" .Release.Namespace (include "rookery.fullname" .)) -}}
{{- end -}}
{{- if .Values.redis.url -}}{{- $_ := set $env "REDIS_URL" .Values.redis.url -}}{{- end -}}
{{- if .Values.redis.bundled.enabled -}}{{- $_ := set $env "REDIS_URL" (printf "redis://%s:6379" (include "rookery.redisName" .)) -}}{{- end -}}
{{- merge (include "rookery.configured" . | fromYaml) $env | toYaml -}}
{{- end }}

{{/*
Name of the ConfigMap, which is of what it holds. A ReplicaSet names the one that it was made with, so an old pod that is
started again, or `kubectl rollout undo`, gets what it had.
*/}}
{{- define "rookery.configName" -}}
{{- printf "%s-%s" (include "rookery.fullname" .) (include "rookery.environment" . | sha256sum | trunc 8) -}}
{{- end }}

{{/*
Replicas that the Deployment has, where an autoscaler takes over: a field that was there and is no more would be 1 until
the autoscaler looks. A Deployment that always had one is marked so, and never names a number: a rollback would bring back
the one of its day. Empty where there is no Deployment, or nobody can be asked.
*/}}
{{- define "rookery.handedOverReplicas" -}}
{{- if include "rookery.isScaled" . -}}
{{- $live := lookup "apps/v1" "Deployment" .Release.Namespace (include "rookery.fullname" .) -}}
{{- if and $live (ne (dig "metadata" "annotations" "rookery/replicas" "" $live) "autoscaler") -}}
{{- include "rookery.text" (dig "spec" "replicas" 1 $live) -}}
{{- end -}}
{{- end -}}
{{- end }}

{{/* A quantity of Kubernetes in whole MiB, down. */}}
{{- define "rookery.mebibytes" -}}
{{- $text := include "rookery.text" . -}}
{{- $units := dict "" 1.0 "m" 0.001 "k" 1e3 "M" 1e6 "G" 1e9 "T" 1e12 "P" 1e15 "E" 1e18 "Ki" 1024.0 "Mi" 1048576.0 "Gi" 1073741824.0 "Ti" 1099511627776.0 "Pi" 1125899906842624.0 "Ei" 1152921504606846976.0 -}}
{{- $unit := get $units (regexFind "[A-Za-z]*$" $text) -}}
{{- divf (mulf (regexFind "^[0-9.]+" $text | float64) $unit) 1048576.0 | floor | int64 -}}
{{- end }}

{{/* NODE_OPTIONS, or nothing. */}}
{{- define "rookery.nodeOptions" -}}
{{- if eq (.Values.nodeOptions | toString) "auto" -}}
{{- with dig "requests" "memory" "" .Values.resources -}}
--max-old-space-size={{ max 64 (mulf 0.5 (include "rookery.mebibytes" . | float64) | floor | int64) }}
{{- end -}}
{{- else if .Values.nodeOptions -}}
{{- .Values.nodeOptions -}}
{{- end -}}
{{- end }}

{{/*
Ports by which replicas reach Redis: those of redis.url, and redisPorts, which are those of the servers behind sentinels
and of further nodes of a cluster. `ports`, in YAML.
*/}}
{{- define "rookery.redisPorts" -}}
{{- $ports := list -}}
{{- with .Values.redis.url -}}
{{- $default := ternary "26379" "6379" (contains "+sentinel:" .) -}}
{{- range regexReplaceAll "^[a-z+]+://([^/?]*@)?" . "" | regexFind "^[^/?]*" | splitList "," -}}
{{- $ports = append $ports (regexFind ":[0-9]+$" . | trimPrefix ":" | default $default) -}}
{{- end -}}
{{- end -}}
{{- range .Values.networkPolicy.egress.redisPorts -}}{{- $ports = append $ports (include "rookery.text" .) -}}{{- end -}}
{{- dict "ports" (uniq $ports) | toYaml -}}
{{- end }}

{{/* Key of a Secret. @param list of root and what `secrets` says of a variable: a key, or name and key; dict in YAML */}}
{{- define "rookery.secretKey" -}}
{{- $root := index . 0 -}}
{{- $ref := index . 1 -}}
{{- if kindIs "map" $ref -}}
{{- dict "name" ($ref.name | default $root.Values.existingSecret) "key" $ref.key "kind" ($ref.kind | default "Secret") | toYaml -}}
{{- else -}}
{{- dict "name" $root.Values.existingSecret "key" $ref "kind" "Secret" | toYaml -}}
{{- end -}}
{{- end }}

{{/* Where a file of `secrets.files` is. @param name of the variable */}}
{{- define "rookery.filePath" -}}/etc/rookery/files/{{ . }}{{- end }}

{{/* Variables that are not in the ConfigMap: `env` of the container. */}}
{{- define "rookery.env" -}}
{{- $root := . -}}
{{- range $name, $ref := .Values.secrets.env }}
{{- $key := include "rookery.secretKey" (list $root $ref) | fromYaml }}
- name: {{ $name }}
  valueFrom:
    secretKeyRef:
      name: {{ $key.name }}
      key: {{ $key.key | quote }}
{{- end }}
{{- range $name, $ref := .Values.secrets.files }}
- name: {{ $name }}
  value: {{ include "rookery.filePath" $name }}
{{- end }}
{{- with .Values.redis.existingSecret }}
{{- if .name }}
- name: REDIS_URL
  valueFrom:
    secretKeyRef:
      name: {{ .name }}
      key: {{ .key | quote }}
{{- end }}
{{- end }}
{{- if .Values.redis.bundled.enabled }}
- name: REDIS_PASSWORD
  valueFrom:
    secretKeyRef:
      name: {{ include "rookery.redisSecret" . }}
      key: {{ .Values.redis.bundled.existingSecret.key | quote }}
{{- end }}
{{- if include "rookery.traces" . }}
- name: POD_NAME
  valueFrom:
    fieldRef:
      fieldPath: metadata.name
- name: OTEL_RESOURCE_ATTRIBUTES
  value: {{ include "rookery.variable" (list . "OTEL_RESOURCE_ATTRIBUTES" "") | printf "k8s.namespace.name=%s,k8s.deployment.name=%s,k8s.pod.name=$(POD_NAME),%s" .Release.Namespace (include "rookery.fullname" .) | trimSuffix "," | quote }}
{{- end }}
{{- if not (include "rookery.has" (list . "NODE_OPTIONS")) }}
{{- with include "rookery.nodeOptions" . }}
- name: NODE_OPTIONS
  value: {{ . | quote }}
{{- end }}
{{- end }}
{{- with .Values.extraEnv }}
{{ toYaml . }}
{{- end }}
{{- end }}

{{/* URL of the receiver of traces, where there is one. */}}
{{- define "rookery.traces" -}}
{{- include "rookery.variable" (list . "OTEL_EXPORTER_OTLP_TRACES_ENDPOINT" "") | default (include "rookery.variable" (list . "OTEL_EXPORTER_OTLP_ENDPOINT" "")) -}}
{{- end }}

{{/* Milliseconds to whole seconds, up. */}}
{{- define "rookery.seconds" -}}{{ div (add (int64 .) 999) 1000 }}{{- end }}

{{/* Seconds from the decision to end a pod until draining is over. */}}
{{- define "rookery.drainSeconds" -}}
{{- add (include "rookery.text" .Values.preStop.seconds | int64) (include "rookery.seconds" (include "rookery.variable" (list . "MCP_DRAIN_GRACE_MS" "25000")) | int64) -}}
{{- end }}

{{- define "rookery.gracePeriod" -}}
{{- if kindIs "invalid" .Values.terminationGracePeriodSeconds -}}
{{- add (include "rookery.drainSeconds" . | int64) (include "rookery.text" .Values.terminationMarginSeconds | int64) -}}
{{- else -}}
{{- include "rookery.text" .Values.terminationGracePeriodSeconds -}}
{{- end -}}
{{- end }}

{{/* Handler of the preStop hook. */}}
{{- define "rookery.preStop" -}}
{{- $seconds := include "rookery.text" .Values.preStop.seconds | int64 -}}
{{- $method := .Values.preStop.method -}}
{{- if eq $method "auto" -}}
{{- $method = ternary "sleep" "exec" (semverCompare ">=1.30.0-0" .Capabilities.KubeVersion.Version) -}}
{{- end -}}
{{- if eq $method "sleep" -}}
sleep:
  seconds: {{ $seconds }}
{{- else -}}
exec:
  command:
    - node
    - -e
    - setTimeout(() => {}, {{ mul $seconds 1000 }})
{{- end -}}
{{- end }}

{{/* Paths of Ingress and HTTPRoute: `paths`, in YAML. The metadata of RFC 9728 lies at the root of the host. */}}
{{- define "rookery.paths" -}}
{{- $paths := .Values.ingress.paths -}}
{{- if not $paths -}}
{{- $paths = list (dict "path" (include "rookery.path" .) "pathType" "Prefix") -}}
{{- if include "rookery.asksForTokens" . -}}
{{- $paths = append $paths (dict "path" "/.well-known/oauth-protected-resource" "pathType" "Prefix") -}}
{{- end -}}
{{- end -}}
{{- dict "paths" $paths | toYaml -}}
{{- end }}

{{/* `true` if there is a rule of this release's own. */}}
{{- define "rookery.watchesReplicas" -}}
{{- $values := .Values.metrics.prometheusRule -}}
{{- if kindIs "invalid" $values.noReplicas -}}
{{- if $values.enabled -}}true{{- end -}}
{{- else if $values.noReplicas -}}true{{- end -}}
{{- end }}

{{/*
The rule that Prometheus cannot have without kube-state-metrics: pods that never start are no targets. It is of this
release alone, unlike those of files/rules.yaml. A Deployment that is to have no replicas is no case.
*/}}
{{- define "rookery.replicaRules" -}}
{{- $deployment := printf "{namespace=\"%s\",deployment=\"%s\"}" .Release.Namespace (include "rookery.fullname" .) -}}
name: {{ printf "rookery-replicas-%s-%s" .Release.Namespace (include "rookery.fullname" .) }}
rules:
  - alert: RookeryNoReplicas
    expr: |-
      max by (namespace, deployment) (kube_deployment_status_replicas_available{{ $deployment }}) == 0
      and max by (namespace, deployment) (kube_deployment_spec_replicas{{ $deployment }}) > 0
    for: 2m
    labels:
      severity: page
    annotations:
      summary: 'Deployment {{ "{{ $labels.deployment }}" }} has no replica that is available'
      description: >-
        No pod of {{ "{{ $labels.deployment }} in {{ $labels.namespace }}" }} is available: they cannot be scheduled, do
        not start, or are not ready. Every call fails.
      runbook_url: docs/runbook.md#rookerynoreplicas
{{- end }}

{{/*
A group of rules with the severities, labels and runbook of the values, and without the alerts that are not wanted; empty
if nothing is left. YAML. @param list of root and group
*/}}
{{- define "rookery.ruleGroup" -}}
{{- $root := index . 0 -}}
{{- $group := index . 1 -}}
{{- $values := $root.Values.metrics.prometheusRule -}}
{{- $rules := list -}}
{{- range $rule := $group.rules -}}
{{- if not $rule.alert -}}
{{- $rules = append $rules $rule -}}
{{- else if not (has $rule.alert $values.disabledAlerts) -}}
{{- $severity := get $values.alertSeverities $rule.alert | default $rule.labels.severity -}}
{{- $_ := set $rule "labels" (merge (dict "severity" (get $values.severities $severity | default $severity)) $rule.labels $values.alertLabels) -}}
{{- $_ := set $rule.annotations "runbook_url" (printf "%s#%s" $values.runbookUrl (splitList "#" $rule.annotations.runbook_url | last)) -}}
{{- $rules = append $rules $rule -}}
{{- end -}}
{{- end -}}
{{- if $rules -}}{{- set $group "rules" $rules | toYaml -}}{{- end -}}
{{- end }}

{{/* Names of all alerts there are: `names`, in YAML. */}}
{{- define "rookery.alertNames" -}}
{{- $names := list -}}
{{- range append (.Files.Get "files/rules.yaml" | fromYaml).groups (include "rookery.replicaRules" . | fromYaml) -}}
{{- range .rules -}}{{- with .alert -}}{{- $names = append $names . -}}{{- end -}}{{- end -}}
{{- end -}}
{{- dict "names" $names | toYaml -}}
{{- end }}
