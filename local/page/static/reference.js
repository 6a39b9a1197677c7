/* global SwaggerUIBundle */

/** Shows the document that the app serves. Requests go to the origin of this page. */
async function showReference() {
  const spec = await (await fetch('/api/openapi.json', { headers: { 'x-ms-client-request-id': 'npm-start' } })).json()
  const { key } = await (await fetch('/local/state')).json()
  const viewer = SwaggerUIBundle({
    dom_id: '#viewer',
    spec: { ...spec, host: location.host, schemes: [location.protocol.replace(':', '')] },
    presets: [SwaggerUIBundle.presets.apis],
    // The badge of the viewer would call a validator on the internet.
    validatorUrl: null,
    docExpansion: 'list',
    defaultModelsExpandDepth: -1,
    tryItOutEnabled: true,
    onComplete: () => {
      if (key !== undefined) viewer.preauthorizeApiKey('api_key', key)
    },
  })
}

if (matchMedia('(prefers-color-scheme: dark)').matches) document.documentElement.classList.add('dark-mode')
showReference()
