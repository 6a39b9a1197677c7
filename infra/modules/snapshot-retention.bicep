@description('Storage account of the snapshots.')
param accountName string
@description('Container of the snapshots.')
param containerName string
@description('Days after which a snapshot is deleted.')
param retentionDays int

var coolAfterDays = 30
@description('Days for which an overwritten or deleted version can be restored.')
var versionDays = 30

resource account 'Microsoft.Storage/storageAccounts@2024-01-01' existing = {
  name: accountName
}

resource policy 'Microsoft.Storage/storageAccounts/managementPolicies@2024-01-01' = {
  parent: account
  name: 'default'
  properties: {
    policy: {
      rules: [
        {
          name: 'snapshots'
          type: 'Lifecycle'
          enabled: true
          definition: {
            filters: {
              blobTypes: ['blockBlob']
              prefixMatch: [
                '${containerName}/snapshots/'
                '${containerName}/changes/'
                '${containerName}/lines/'
                '${containerName}/following/'
              ]
            }
            actions: {
              baseBlob: {
                tierToCool: { daysAfterModificationGreaterThan: coolAfterDays }
                delete: { daysAfterModificationGreaterThan: retentionDays }
              }
              version: { delete: { daysAfterCreationGreaterThan: versionDays } }
            }
          }
        }
        {
          // These blobs are overwritten every second of a run. Without this rule, thousands of useless versions would
          // remain.
          name: 'notes'
          type: 'Lifecycle'
          enabled: true
          definition: {
            filters: {
              blobTypes: ['blockBlob']
              prefixMatch: [
                '${containerName}/pace.json'
                '${containerName}/current.json'
                '${containerName}/latest.json'
                '${containerName}/following.json'
              ]
            }
            actions: { version: { delete: { daysAfterCreationGreaterThan: 1 } } }
          }
        }
      ]
    }
  }
}
