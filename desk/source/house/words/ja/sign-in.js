/** サインイン画面のことば。 */
export default {
  'sign_in.title': 'サインイン',
  'sign_in.welcome': 'デスクで電話に応対し、ウォールボードでセンター全体を見渡せます。',
  'sign_in.name': 'ユーザー名',
  'sign_in.password': 'パスワード',
  'sign_in.show': 'パスワードを表示',
  'sign_in.submit': 'サインイン',
  'sign_in.busy': 'サインインしています…',
  'sign_in.or': 'または',
  'sign_in.open_id': '{name} で続ける',
  'sign_in.demo': 'すぐに試す',
  'sign_in.demo_hint': '電話網はシミュレーションです。これらのユーザーはこのマシンの中だけに存在します。',
  'sign_in.wrong': 'ユーザー名またはパスワードが違います。',
  'sign_in.too_often': {
    other: '試行回数が多すぎます。{count} 秒後にもう一度お試しください。',
  },
  'sign_in.missing': 'ユーザー名とパスワードを入力してください。',
  'sign_in.open_id.unreachable': '現在 {name} に接続できません。',
  'sign_in.open_id.denied': '{name} でのサインインは許可されませんでした。',
  'sign_in.open_id.failed': '{name} でサインインできませんでした。もう一度お試しください。',
  'sign_in.open_id.unknown': '{name} では確認できましたが、該当するユーザーが登録されていません。管理者に追加を依頼してください。',
};
