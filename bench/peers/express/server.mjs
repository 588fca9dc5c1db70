// What a Node team puts in front of the same read and the same idempotent write: Express, helmet, cors, a look-up of
// the hashed key, express-rate-limit, and for the write a transaction through pg.
//
// Environment: BENCH_PORT, BENCH_BODY (file with the document of the read), BENCH_KEY (the one key that is let in),
// BENCH_DATABASE (connection string; without it there is no write).
import cors from 'cors'
import express from 'express'
import { rateLimit } from 'express-rate-limit'
import helmet from 'helmet'
import { createHash, randomUUID } from 'node:crypto'
import { readFileSync } from 'node:fs'
import pg from 'pg'

const { BENCH_PORT, BENCH_BODY, BENCH_KEY, BENCH_DATABASE } = process.env
const LIMIT_PER_MINUTE = 1_000_000_000
const OPERATION = 'forms.submissions.create'

const digest = (text) => createHash('sha256').update(text).digest('hex')
const tenants = new Map([[digest(BENCH_KEY), 'tenant-1']])
const problem = (response, status, code) =>
  response.status(status).type('application/problem+json').json({ status, code })

function identify(request, response, next) {
  request.id = request.get('x-request-id') ?? randomUUID()
  response.set('x-request-id', request.id)
  next()
}

function authenticate(request, response, next) {
  const [scheme, key] = (request.get('authorization') ?? '').split(' ')
  const tenant = scheme === 'Bearer' && key ? tenants.get(digest(key)) : undefined
  if (!tenant) return problem(response, 401, 'unauthenticated')
  request.tenant = tenant
  next()
}

const app = express()
app.disable('x-powered-by')
app.set('etag', false)
app.use(identify, helmet(), cors(), authenticate)
app.use(
  rateLimit({
    windowMs: 60_000,
    limit: LIMIT_PER_MINUTE,
    standardHeaders: 'draft-8',
    legacyHeaders: false,
    keyGenerator: (request) => request.tenant,
  }),
)
app.use(express.json({ limit: '1mb' }))

const document = JSON.parse(readFileSync(BENCH_BODY, 'utf8'))
app.get('/read', (request, response) => response.json(document))

if (BENCH_DATABASE) {
  const pool = new pg.Pool({ connectionString: BENCH_DATABASE, max: 32 })
  await pool.query(`
    CREATE TABLE IF NOT EXISTS submissions (
      tenant_id TEXT NOT NULL, submission_id TEXT NOT NULL, form_id TEXT NOT NULL, answers TEXT NOT NULL,
      created_at BIGINT NOT NULL, PRIMARY KEY (tenant_id, submission_id));
    CREATE TABLE IF NOT EXISTS outbox (
      position BIGINT GENERATED ALWAYS AS IDENTITY PRIMARY KEY, event_id TEXT NOT NULL, tenant_id TEXT NOT NULL,
      kind TEXT NOT NULL, subject TEXT NOT NULL, data TEXT NOT NULL, created_at BIGINT NOT NULL);
    CREATE TABLE IF NOT EXISTS idempotency (
      tenant_id TEXT NOT NULL, operation TEXT NOT NULL, idem_key TEXT NOT NULL, fingerprint TEXT NOT NULL,
      status BIGINT, body TEXT, created_at BIGINT NOT NULL, PRIMARY KEY (tenant_id, operation, idem_key));`)

  const submit = async (client, request, key, fingerprint) => {
    const now = Date.now() * 1000
    const claimed = await client.query({
      name: 'claim',
      text: `INSERT INTO idempotency (tenant_id, operation, idem_key, fingerprint, created_at)
             VALUES ($1, $2, $3, $4, $5) ON CONFLICT DO NOTHING`,
      values: [request.tenant, OPERATION, key, fingerprint, now],
    })
    if (claimed.rowCount === 0) {
      const stored = await client.query({
        name: 'stored',
        text: 'SELECT status, body FROM idempotency WHERE tenant_id = $1 AND operation = $2 AND idem_key = $3',
        values: [request.tenant, OPERATION, key],
      })
      return { status: Number(stored.rows[0].status), body: stored.rows[0].body }
    }
    const id = randomUUID()
    const answers = JSON.stringify(request.body)
    await client.query({
      name: 'row',
      text: `INSERT INTO submissions (tenant_id, submission_id, form_id, answers, created_at)
             VALUES ($1, $2, $3, $4, $5)`,
      values: [request.tenant, id, request.params.form, answers, now],
    })
    await client.query({
      name: 'event',
      text: `INSERT INTO outbox (event_id, tenant_id, kind, subject, data, created_at) VALUES ($1, $2, $3, $4, $5, $6)`,
      values: [randomUUID(), request.tenant, 'submission.completed', id, answers, now],
    })
    const body = JSON.stringify({ object: 'submission', id, form_id: request.params.form, created_at: now })
    await client.query({
      name: 'answer',
      text: `UPDATE idempotency SET status = 201, body = $4
             WHERE tenant_id = $1 AND operation = $2 AND idem_key = $3`,
      values: [request.tenant, OPERATION, key, body],
    })
    return { status: 201, body }
  }

  app.post('/forms/:form/submissions', async (request, response) => {
    const key = request.get('idempotency-key')
    if (!key) return problem(response, 400, 'idempotency_key_missing')
    const fingerprint = digest(JSON.stringify(request.body))
    const client = await pool.connect()
    try {
      await client.query('BEGIN')
      const answer = await submit(client, request, key, fingerprint)
      await client.query('COMMIT')
      response.status(answer.status).type('application/json').send(answer.body)
    } catch {
      await client.query('ROLLBACK')
      problem(response, 500, 'internal')
    } finally {
      client.release()
    }
  })
}

app.listen(Number(BENCH_PORT), '127.0.0.1')
