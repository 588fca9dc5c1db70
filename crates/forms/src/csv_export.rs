//! Submissions as CSV, streamed a page at a time: memory does not grow with the number of rows.

use crate::{
    limits,
    model::{answer, definition::Definition},
    store::{self, SubmissionFilter, SubmissionRow},
};
use bytes::Bytes;
use plinth_api::Keyset;
use plinth_kernel::{FormId, Problem, TenantId};
use plinth_store::Store;
use std::collections::HashMap;

/// Where an export stands.
pub(crate) struct Export {
    store: Store,
    tenant: TenantId,
    form: FormId,
    /// Columns come from the version that was live when the export began.
    columns: Definition,
    definitions: HashMap<i64, Definition>,
    after: Option<String>,
    header_written: bool,
    done: bool,
}

impl Export {
    pub fn new(store: Store, tenant: TenantId, form: FormId, columns: Definition) -> Self {
        let (definitions, after) = (HashMap::new(), None);
        Self { store, tenant, form, columns, definitions, after, header_written: false, done: false }
    }

    /// The next part of the file, or `None` at its end.
    pub async fn next(&mut self) -> Result<Option<Bytes>, Problem> {
        if self.done {
            return Ok(None);
        }
        let keyset = Keyset::new(self.after.take(), false, limits::EXPORT_PAGE_ROWS);
        let filter = SubmissionFilter {
            form_id: Some(self.form.clone()),
            state: Some("completed".into()),
            contains: None,
        };
        let tenant = self.tenant.clone();
        let rows: Vec<SubmissionRow> = self
            .store
            .read(move |tx| store::submissions(tx, &tenant, &filter, &keyset))
            .await
            .map_err(Problem::from)?;
        self.done = (rows.len() as i64) < limits::EXPORT_PAGE_ROWS;
        self.after = rows.last().map(|row| row.id.to_string());
        self.load_definitions(&rows).await?;
        self.write(&rows).map(Some)
    }

    /// Answers are read with the definition they were given to.
    async fn load_definitions(&mut self, rows: &[SubmissionRow]) -> Result<(), Problem> {
        for row in rows {
            if self.definitions.contains_key(&row.version) {
                continue;
            }
            let (tenant, form, number) = (self.tenant.clone(), self.form.clone(), row.version);
            let version = self
                .store
                .read(move |tx| store::version(tx, &tenant, &form, number))
                .await
                .map_err(Problem::from)?;
            let definition =
                version.ok_or_else(|| Problem::internal("a submission's version is missing"))?.parsed()?;
            self.definitions.insert(number, definition);
        }
        Ok(())
    }

    fn write(&mut self, rows: &[SubmissionRow]) -> Result<Bytes, Problem> {
        let mut writer = csv::Writer::from_writer(Vec::new());
        if !self.header_written {
            self.header_written = true;
            let keys = self.columns.fields().map(|field| field.key.as_str());
            let header = ["submission_id", "submitted_at", "version"].into_iter().chain(keys);
            writer.write_record(header).map_err(Problem::internal)?;
        }
        for row in rows {
            writer.write_record(self.record(row)?).map_err(Problem::internal)?;
        }
        Ok(Bytes::from(writer.into_inner().map_err(Problem::internal)?))
    }

    fn record(&self, row: &SubmissionRow) -> Result<Vec<String>, Problem> {
        let answers = row.answers()?;
        let written_for = self.definitions.get(&row.version).unwrap_or(&self.columns);
        let mut record = vec![row.id.to_string(), row.created_at.to_rfc3339(), row.version.to_string()];
        for column in self.columns.fields() {
            // The id joins versions: a renamed field stays in its column.
            let field = written_for.fields().find(|field| field.id == column.id).unwrap_or(column);
            let shown = answers.get(&column.id).map(|stored| answer::display(written_for, field, stored));
            record.push(defuse(shown.unwrap_or_default()));
        }
        Ok(record)
    }
}

/// A cell that a spreadsheet would run as a formula gets a leading apostrophe (OWASP: CSV injection).
fn defuse(cell: String) -> String {
    match cell.as_bytes().first() {
        Some(b'=' | b'+' | b'-' | b'@' | b'\t' | b'\r') => format!("'{cell}"),
        _ => cell,
    }
}

#[cfg(test)]
mod tests {
    use super::defuse;

    #[test]
    fn formulas_are_defused() {
        assert_eq!(defuse("=HYPERLINK(1)".into()), "'=HYPERLINK(1)");
        assert_eq!(defuse("@SUM".into()), "'@SUM");
        assert_eq!(defuse("hello".into()), "hello");
        assert_eq!(defuse(String::new()), "");
    }
}
