@description('The start of the names of the alert rules.')
param prefix string
@description('Region of the resources.')
param location string
@description('Tags on the resources.')
param tags object
@description('Workspace that the queries read.')
param workspaceId string
@description('When monitoring was first deployed, in ISO 8601. No snapshot is overdue before that.')
param createdAt string
@description('Mail address for alerts. Empty to show them only in the portal.')
param email string
@description('Hours without a finished snapshot of all customers after which an alert fires. 0 for no such alert.')
@minValue(0)
@maxValue(47)
param snapshotDueHours int
@description('True if the activity log is followed.')
param followsLog bool

// Every query returns rows only for a problem, so that each rule fires on its first row.
var dueAlert = {
  name: 'snapshot-overdue'
  title: 'No snapshot has finished in time'
  severity: 1
  window: 'P2D'
  frequency: 'PT1H'
  query: replace(
    replace(loadTextContent('../alerts/snapshot-overdue.kql'), '{dueHours}', string(snapshotDueHours)),
    '{createdAt}',
    createdAt
  )
}

var followingAlert = {
  name: 'following-stopped'
  title: 'Following the activity log stands still'
  severity: 2
  window: 'PT1H'
  frequency: 'PT15M'
  query: replace(loadTextContent('../alerts/following-stopped.kql'), '{createdAt}', createdAt)
}

var eventAlerts = [
  {
    name: 'snapshot-failed'
    title: 'A snapshot has failed'
    severity: 1
    window: 'PT30M'
    frequency: 'PT15M'
    query: loadTextContent('../alerts/snapshot-failed.kql')
  }
  {
    name: 'snapshot-incomplete'
    title: 'A snapshot has finished without some customers'
    severity: 3
    window: 'PT30M'
    frequency: 'PT15M'
    query: loadTextContent('../alerts/snapshot-incomplete.kql')
  }
  {
    name: 'poison-messages'
    title: 'A part of a snapshot was given up'
    severity: 2
    window: 'PT30M'
    frequency: 'PT15M'
    query: loadTextContent('../alerts/poison-messages.kql')
  }
  {
    name: 'credential-expiring'
    title: 'A secret or certificate ends within 14 days'
    severity: 2
    window: 'P1D'
    frequency: 'PT6H'
    query: loadTextContent('../alerts/credential-expiring.kql')
  }
  {
    name: 'credential-rejected'
    title: 'The Partner Center credential does not work'
    severity: 1
    window: 'PT30M'
    frequency: 'PT15M'
    query: loadTextContent('../alerts/credential-rejected.kql')
  }
  {
    name: 'app-misconfigured'
    title: 'Settings of the app are missing or malformed'
    severity: 1
    window: 'PT30M'
    frequency: 'PT15M'
    query: loadTextContent('../alerts/app-misconfigured.kql')
  }
  {
    name: 'server-errors'
    title: 'More than 5 % of the requests fail with a 5xx'
    severity: 2
    window: 'PT30M'
    frequency: 'PT15M'
    query: loadTextContent('../alerts/server-errors.kql')
  }
  {
    name: 'throttling'
    title: 'Partner Center is throttling the app'
    severity: 3
    window: 'PT30M'
    frequency: 'PT15M'
    query: loadTextContent('../alerts/throttling.kql')
  }
]

var alerts = concat(snapshotDueHours == 0 ? [] : [dueAlert], followsLog ? [followingAlert] : [], eventAlerts)

resource operators 'Microsoft.Insights/actionGroups@2023-01-01' = {
  name: '${prefix}-operators'
  location: 'global'
  tags: tags
  properties: {
    groupShortName: take(prefix, 12)
    enabled: true
    emailReceivers: empty(email) ? [] : [{ name: 'operators', emailAddress: email, useCommonAlertSchema: true }]
  }
}

resource rules 'Microsoft.Insights/scheduledQueryRules@2023-12-01' = [
  for alert in alerts: {
    name: '${prefix}-${alert.name}'
    location: location
    tags: tags
    kind: 'LogAlert'
    properties: {
      displayName: alert.title
      description: 'What to do: docs/operations.md, ${alert.name}.'
      severity: alert.severity
      enabled: true
      scopes: [workspaceId]
      evaluationFrequency: alert.frequency
      windowSize: alert.window
      // The tables of a new workspace are not available for some minutes, which would fail the first deployment.
      skipQueryValidation: true
      autoMitigate: true
      criteria: {
        allOf: [
          {
            query: alert.query
            timeAggregation: 'Count'
            operator: 'GreaterThan'
            threshold: 0
            failingPeriods: { numberOfEvaluationPeriods: 1, minFailingPeriodsToAlert: 1 }
          }
        ]
      }
      actions: { actionGroups: [operators.id] }
    }
  }
]
