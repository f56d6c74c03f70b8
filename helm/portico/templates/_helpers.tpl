{{/* Names and labels. `dict "root" $ "component" "auth"` is what most of these take. */}}

{{- define "portico.name" -}}
{{- default .Chart.Name .Values.nameOverride | trunc 40 | trimSuffix "-" -}}
{{- end -}}

{{- define "portico.fullname" -}}
{{- if .Values.fullnameOverride -}}
{{- .Values.fullnameOverride | trunc 40 | trimSuffix "-" -}}
{{- else if contains (include "portico.name" .) .Release.Name -}}
{{- .Release.Name | trunc 40 | trimSuffix "-" -}}
{{- else -}}
{{- printf "%s-%s" .Release.Name (include "portico.name" .) | trunc 40 | trimSuffix "-" -}}
{{- end -}}
{{- end -}}

{{/* The five services, in the order they are listed everywhere. */}}
{{- define "portico.services" -}}
auth posts payments cards patients
{{- end -}}

{{- define "portico.selectorLabels" -}}
app.kubernetes.io/name: {{ include "portico.name" .root }}
app.kubernetes.io/instance: {{ .root.Release.Name }}
app.kubernetes.io/component: {{ .component }}
{{- end -}}

{{- define "portico.labels" -}}
{{ include "portico.selectorLabels" . }}
app.kubernetes.io/version: {{ .root.Chart.AppVersion | quote }}
app.kubernetes.io/part-of: portico
app.kubernetes.io/managed-by: {{ .root.Release.Service }}
helm.sh/chart: {{ printf "%s-%s" .root.Chart.Name .root.Chart.Version }}
{{- with .root.Values.commonLabels }}
{{ toYaml . }}
{{- end }}
{{- end -}}

{{- define "portico.metadata" -}}
name: {{ .name }}
namespace: {{ .root.Release.Namespace }}
labels:
  {{- include "portico.labels" . | nindent 2 }}
{{- end -}}

{{- define "portico.image" -}}
{{- $image := .root.Values.image -}}
{{- with $image.registry }}{{ . }}/{{ end }}{{ $image.repository }}/{{ .component }}:{{ $image.tag }}
{{- end -}}

{{/* The values of one service over those of all, as JSON. */}}
{{- define "portico.service" -}}
{{- mergeOverwrite (deepCopy .root.Values.serviceDefaults) (deepCopy (index .root.Values.services .component)) | toJson -}}
{{- end -}}

{{/* takes `values` with serviceAccount, and `name` as the default one */}}
{{- define "portico.serviceAccountName" -}}
{{- if .values.serviceAccount.create -}}
{{- default .name .values.serviceAccount.name -}}
{{- else -}}
{{- default "default" .values.serviceAccount.name -}}
{{- end -}}
{{- end -}}

{{/* The Secret whose keys are a service's secret variables. */}}
{{- define "portico.secretName" -}}
{{- $service := include "portico.service" . | fromJson -}}
{{- default (printf "%s-%s" (include "portico.fullname" .root) .component) $service.existingSecret -}}
{{- end -}}

{{/* Whether the chart itself makes a service's Secret. */}}
{{- define "portico.generatesSecret" -}}
{{- $service := include "portico.service" . | fromJson -}}
{{- if not (or $service.existingSecret .root.Values.externalSecrets.enabled) }}true{{ end -}}
{{- end -}}

{{/* What Pod Security calls restricted, and no more than that. */}}
{{- define "portico.podSecurityContext" -}}
runAsNonRoot: true
runAsUser: 1000
runAsGroup: 1000
fsGroup: 1000
fsGroupChangePolicy: OnRootMismatch
seccompProfile: { type: RuntimeDefault }
{{- end -}}

{{- define "portico.containerSecurityContext" -}}
allowPrivilegeEscalation: false
readOnlyRootFilesystem: true
capabilities: { drop: [ALL] }
{{- end -}}

{{- define "portico.pullSecrets" -}}
{{- with .Values.image.pullSecrets }}
imagePullSecrets:
  {{- toYaml . | nindent 2 }}
{{- end }}
{{- end -}}

{{/* Where a pod may run; takes `values` and the labels' dict. */}}
{{- define "portico.placement" -}}
topologySpreadConstraints:
  {{- with .values.topologySpreadConstraints }}
  {{- toYaml . | nindent 2 }}
  {{- else }}
  {{- range list "kubernetes.io/hostname" "topology.kubernetes.io/zone" }}
  - maxSkew: 1
    topologyKey: {{ . }}
    whenUnsatisfiable: ScheduleAnyway
    labelSelector:
      matchLabels:
        {{- include "portico.selectorLabels" $ | nindent 8 }}
    # Those of one version among themselves: else a rolling update counts the pods that go.
    matchLabelKeys: [pod-template-hash]
  {{- end }}
  {{- end }}
{{- include "portico.scheduling" .values }}
{{- end -}}

{{- define "portico.scheduling" -}}
{{- with .nodeSelector }}
nodeSelector:
  {{- toYaml . | nindent 2 }}
{{- end }}
{{- with .tolerations }}
tolerations:
  {{- toYaml . | nindent 2 }}
{{- end }}
{{- with .affinity }}
affinity:
  {{- toYaml . | nindent 2 }}
{{- end }}
{{- with .priorityClassName }}
priorityClassName: {{ . }}
{{- end }}
{{- end -}}

{{/* A service's variables: the same ones that packages/dev-env sets on a laptop. */}}
{{- define "portico.serviceEnv" -}}
{{- $values := .root.Values -}}
{{- $service := include "portico.service" . | fromJson -}}
{{- $fullname := include "portico.fullname" .root -}}
- { name: PORT, value: "8080" }
- { name: OPS_PORT, value: "9090" }
- { name: DRAIN_MS, value: {{ mul $values.shutdown.drainSeconds 1000 | quote }} }
- { name: LOG_LEVEL, value: {{ $service.logLevel | quote }} }
- { name: ISSUER, value: {{ printf "%s/auth" $values.publicOrigin | quote }} }
- { name: AUDIENCE, value: {{ $values.publicOrigin | quote }} }
- { name: JWKS_URL, value: http://auth/auth/jwks }
{{- if eq .component "auth" }}
- { name: PUBLIC_ORIGIN, value: {{ $values.publicOrigin | quote }} }
- { name: FRONTEND_URL, value: {{ default $values.publicOrigin $values.frontendUrl | quote }} }
- { name: TRUSTED_HOPS, value: "1" }
- { name: ATTEMPTS_PER_PLACE, value: {{ $service.attemptsPerPlace | quote }} }
- { name: EMAIL_FROM, value: {{ $values.emailFrom | quote }} }
- { name: SERVICE_ORIGINS, value: "posts=http://posts,payments=http://payments,cards=http://cards,patients=http://patients" }
{{- with $service.secondFactorRoles }}
- { name: SECOND_FACTOR_ROLES, value: {{ . | quote }} }
{{- end }}
{{- else }}
- { name: REVOCATIONS_URL, value: http://auth:9090/revocations }
{{- end }}
{{- if eq .component "cards" }}
- { name: EXTEND_URL, value: {{ default (printf "http://%s-sandboxes:8027" $fullname) $service.extendUrl | quote }} }
{{- end }}
{{- with $service.extraEnv }}
{{ toYaml . }}
{{- end }}
{{- end -}}

{{- define "portico.serviceEnvFrom" -}}
{{- $service := include "portico.service" . | fromJson -}}
- secretRef: { name: {{ include "portico.secretName" . }} }
{{- with $service.extraEnvFrom }}
{{ toYaml . }}
{{- end }}
{{- end -}}

{{/* Whether Envoy and its controller are made here; empty where there is no gateway, or another release's serves us. */}}
{{- define "portico.gateway.hasFleet" -}}
{{- if and .Values.gateway.enabled (not .Values.gateway.fleetNamespace) }}true{{ end -}}
{{- end -}}

{{/* How a NetworkPolicy of ours finds Envoy's pods: another release has labels of its own. */}}
{{- define "portico.gateway.peer" -}}
{{- $labels := dict "app.kubernetes.io/part-of" "portico" "app.kubernetes.io/component" "gateway" -}}
namespaceSelector:
  matchLabels: { kubernetes.io/metadata.name: {{ default .Release.Namespace .Values.gateway.fleetNamespace }} }
podSelector:
  matchLabels:
    {{- toYaml $labels | nindent 4 }}
{{- end -}}

{{- define "portico.gateway.serviceAccountName" -}}
{{- include "portico.serviceAccountName" (dict "values" .Values.gateway "name" (printf "%s-gateway" (include "portico.fullname" .))) -}}
{{- end -}}

{{/*
  What kube-score asks for and we decided otherwise, for each object that has pods:
  - image pull policy Always: a tag names one image for ever, and pods start while the registry is away;
  - user and group above 10000: 1000 is the image's own user `node`, by which Node's compiled code is found;
  - pod anti-affinity: topologySpreadConstraints do that, and also over zones.
  A limit of CPU is not ignored here but by kube-score's own flag: it would throttle while others leave theirs unused.
*/}}
{{- define "portico.scoreIgnored" -}}
kube-score/ignore: container-image-pull-policy,container-security-context-user-group-id,deployment-has-host-podantiaffinity
{{- end -}}

{{/* The Secret with GATEWAY_REDIS_URL; empty where replicas have no Redis to count limits in together. */}}
{{- define "portico.gateway.secretName" -}}
{{- if .Values.gateway.existingSecret -}}
{{- .Values.gateway.existingSecret -}}
{{- else if .Values.redis.enabled -}}
{{- printf "%s-gateway" (include "portico.fullname" .) -}}
{{- end -}}
{{- end -}}

{{/* The Service that the controller makes for the chart's Gateway: gateway/src/infrastructure/gateway-service.ts. */}}
{{- define "portico.gateway.service" -}}
{{- $hash := printf "gateway/%s/portico" .Release.Namespace | sha256sum | trunc 8 -}}
{{- printf "gateway-%s-portico" .Release.Namespace | replace "." "-" | trunc 54 | trimSuffix "-" }}-{{ $hash }}
{{- end -}}
