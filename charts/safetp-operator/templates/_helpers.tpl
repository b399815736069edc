{{- define "safetp.selector" -}}
app.kubernetes.io/name: safetp-operator
app.kubernetes.io/instance: {{ .Release.Name }}
{{- end -}}

{{- define "safetp.labels" -}}
{{ include "safetp.selector" . }}
app.kubernetes.io/version: {{ .Chart.AppVersion | quote }}
app.kubernetes.io/managed-by: {{ .Release.Service }}
helm.sh/chart: {{ .Chart.Name }}-{{ .Chart.Version }}
{{- end -}}

{{- define "safetp.image" -}}
{{ .image.repository }}:{{ .image.tag | default .version }}
{{- end -}}
